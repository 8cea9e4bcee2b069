package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 2 bits a value, 64 values -1, 0, 1 or 2 with one scale: `x = d * (q - 1)`.
/// ```
/// byte  0..1   2..17
///       d      q of four values to a byte, the first in bits 0 and 1
///       half
/// ```
public final class Q2_0 {
    private Q2_0() {
    }

    /// Decodes `count` values, a multiple of 64, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(64, count, target, at);
        for (int i = at; i < at + count; i += 64, offset += 18) {
            float d = half(source, offset);
            for (int j = 0; j < 64; j++) {
                int q = unsignedByte(source, offset + 2 + j / 4) >> j % 4 * 2 & 3;
                target[i + j] = d * (q - 1);
            }
        }
    }
}
