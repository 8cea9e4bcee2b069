package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 5 bits a value, 32 values with one scale and one offset: `x = d * q + m`.
/// ```
/// byte  0..1   2..3   4..7             8..23
///       d      m      bit i is bit 4   bits 0..3 of q, of values 0..15 in the low nibbles,
///       half   half   of q of value i  of values 16..31 in the high nibbles
/// ```
public final class Q5_1 {
    private Q5_1() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 24) {
            float d = half(source, offset);
            float m = half(source, offset + 2);
            int high = source.get(LittleEndian.INT, offset + 4);
            for (int j = 0; j < 16; j++) {
                int q = unsignedByte(source, offset + 8 + j);
                target[i + j] = d * (q & 15 | (high >>> j & 1) << 4) + m;
                target[i + j + 16] = d * (q >> 4 | (high >>> j + 16 & 1) << 4) + m;
            }
        }
    }
}
