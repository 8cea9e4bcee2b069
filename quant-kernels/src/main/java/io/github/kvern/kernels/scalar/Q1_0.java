package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 1 bit a value, 128 values with one scale: `x = d` when the bit is set, else `-d`.
/// ```
/// byte  0..1   2..17
///       d      eight values to a byte, the first in bit 0
///       half
/// ```
public final class Q1_0 {
    private Q1_0() {
    }

    /// Decodes `count` values, a multiple of 128, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(128, count, target, at);
        for (int i = at; i < at + count; i += 128, offset += 18) {
            float d = half(source, offset);
            for (int j = 0; j < 128; j++) {
                target[i + j] = (unsignedByte(source, offset + 2 + j / 8) >> j % 8 & 1) == 0 ? -d : d;
            }
        }
    }
}
