package io.github.kvern.kernels.scalar;

import java.lang.foreign.MemorySegment;

/// The upper half of an IEEE 754 binary32.
/// ```
/// byte  0..1
///       sign, 8 bits of exponent, 7 of fraction
/// ```
public final class BF16 {
    private BF16() {
    }

    /// Decodes `count` values from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(1, count, target, at);
        for (int i = 0; i < count; i++) target[at + i] = Float.intBitsToFloat(source.get(LittleEndian.SHORT, offset + 2L * i) << 16);
    }
}
