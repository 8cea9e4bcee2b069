package io.github.kvern.moe;

import java.util.concurrent.atomic.AtomicLongArray;

/// How often each expert of a layer was chosen since the model was loaded. Written by the driver of steps, readable by any thread
/// at any time.
public final class ExpertUse {
    private final AtomicLongArray tokens;

    ExpertUse(int experts) {
        tokens = new AtomicLongArray(experts);
    }

    /// How many experts there are.
    public int experts() {
        return tokens.length();
    }

    /// Tokens that an expert was chosen for.
    public long tokens(int expert) {
        return tokens.getOpaque(expert);
    }

    void add(int expert, int count) { // one writer, so no atomic addition is needed
        tokens.setOpaque(expert, tokens.getPlain(expert) + count);
    }
}
