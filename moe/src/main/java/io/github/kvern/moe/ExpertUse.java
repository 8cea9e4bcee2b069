package io.github.kvern.moe;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// How often each expert of a layer was chosen since the model was loaded. Written by the driver of steps, readable by any thread
/// at any time.
public final class ExpertUse {
    private final AtomicLongArray tokens;
    private final AtomicLongArray uses;
    private final AtomicLongArray repeats;
    private final AtomicLong steps = new AtomicLong();
    private final long[] last; // the step that used an expert last, from 1; the driver's

    ExpertUse(int experts) {
        tokens = new AtomicLongArray(experts);
        uses = new AtomicLongArray(experts);
        repeats = new AtomicLongArray(experts);
        last = new long[experts];
    }

    /// How many experts there are.
    public int experts() {
        return last.length;
    }

    /// Steps that the layer ran.
    public long steps() {
        return steps.getOpaque();
    }

    /// Tokens that an expert was chosen for.
    public long tokens(int expert) {
        return tokens.getOpaque(expert);
    }

    /// Steps that an expert was chosen in.
    public long uses(int expert) {
        return uses.getOpaque(expert);
    }

    /// Steps that an expert was chosen in as well as in the step before.
    public long repeats(int expert) {
        return repeats.getOpaque(expert);
    }

    void begin() { // one writer, so no atomic addition is needed
        steps.setOpaque(steps.getPlain() + 1);
    }

    void add(int expert, int count) {
        long now = steps.getPlain();
        tokens.setOpaque(expert, tokens.getPlain(expert) + count);
        uses.setOpaque(expert, uses.getPlain(expert) + 1);
        if (last[expert] != 0 && last[expert] == now - 1) repeats.setOpaque(expert, repeats.getPlain(expert) + 1);
        last[expert] = now;
    }
}
