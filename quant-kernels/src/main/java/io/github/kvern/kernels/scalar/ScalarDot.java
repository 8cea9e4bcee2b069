package io.github.kvern.kernels.scalar;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.MemorySegment;

/// A row of any type times a vector of floats: one float accumulator that starts at zero and takes one fused multiply-add
/// per value, in ascending order. It is what every faster product is compared with.
public final class ScalarDot {
    private static final int SCRATCH = 1024; // whole blocks of every type

    private ScalarDot() {
    }

    /// The sum of `w[k] * x[at + k]` over `k < count`, `w` being the values from byte `offset` of `source` on.
    ///
    /// @param count a multiple of the type's block length
    public static float dot(TensorType type, MemorySegment source, long offset, float[] x, int at, int count) {
        return dot(type, source, offset, x, at, count, new float[Math.min(SCRATCH, Math.max(0, count))]);
    }

    /// The same with room to decode into: at least a block, at most `count` values are used at a time. The result does not
    /// depend on its length.
    ///
    /// @param scratch overwritten
    public static float dot(TensorType type, MemorySegment source, long offset, float[] x, int at, int count, float[] scratch) {
        int room = scratch.length - scratch.length % type.blockLength();
        if (count < 0 || count > 0 && room == 0) {
            throw new IllegalArgumentException("expected room for a block of " + type.blockLength() + ", found " + scratch.length);
        }
        float sum = 0;
        for (int done = 0, n; done < count; done += n) {
            n = Math.min(count - done, room);
            Decoders.decode(type, source, offset + type.rowBytes(done), scratch, 0, n);
            for (int k = 0; k < n; k++) sum = Math.fma(scratch[k], x[at + done + k], sum);
        }
        return sum;
    }
}
