package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;

import java.lang.foreign.MemorySegment;

/// IEEE 754 binary16.
/// ```
/// byte  0..1
///       value
/// ```
public final class F16 {
    private F16() {
    }

    /// Decodes `count` values from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(1, count, target, at);
        for (int i = 0; i < count; i++) target[at + i] = half(source, offset + 2L * i);
    }
}
