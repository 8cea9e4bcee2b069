package io.github.kvern.kernels.scalar;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.MemorySegment;

/// Placeholder until the decoders land.
public final class Decoders {
    private Decoders() {
    }

    public static void decode(TensorType type, MemorySegment source, long offset, float[] target, int at, int count) {
        throw new UnsupportedOperationException(type.toString());
    }
}
