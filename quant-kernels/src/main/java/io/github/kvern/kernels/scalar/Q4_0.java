package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 4 bits a value, 32 values with one scale: `x = d * (q - 8)`.
/// ```
/// byte  0..1     2..17
///       d        q of values 0..15 in the low nibbles,
///       half     of values 16..31 in the high nibbles
/// ```
public final class Q4_0 {
    private Q4_0() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 18) {
            float d = half(source, offset);
            for (int j = 0; j < 16; j++) {
                int q = unsignedByte(source, offset + 2 + j);
                target[i + j] = d * ((q & 15) - 8);
                target[i + j + 16] = d * ((q >> 4) - 8);
            }
        }
    }
}
