package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 4 bits a value, 32 values with one scale and one offset: `x = d * q + m`.
/// ```
/// byte  0..1   2..3   4..19
///       d      m      q of values 0..15 in the low nibbles,
///       half   half   of values 16..31 in the high nibbles
/// ```
public final class Q4_1 {
    private Q4_1() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 20) {
            float d = half(source, offset);
            float m = half(source, offset + 2);
            for (int j = 0; j < 16; j++) {
                int q = unsignedByte(source, offset + 4 + j);
                target[i + j] = d * (q & 15) + m;
                target[i + j + 16] = d * (q >> 4) + m;
            }
        }
    }
}
