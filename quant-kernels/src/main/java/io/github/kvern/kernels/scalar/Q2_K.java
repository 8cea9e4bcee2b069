package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 2 bits a value; 16 groups of 16 values, each with a 4-bit scale and a 4-bit minimum: `x = (d * s) * q - (dmin * m)`.
/// ```
/// byte  0..15              16..79                                80..81   82..83
///       group i: s low     q of 256 values, see below            d        dmin
///       nibble, m high                                           half     half
/// ```
/// The values come in two halves of 128 with 32 bytes each; bits 2k and 2k + 1 of byte j belong to value 32k + j of the half.
public final class Q2_K {
    private Q2_K() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 84) {
            float d = half(source, offset + 80);
            float dmin = half(source, offset + 82);
            for (int group = 0; group < 16; group++) {
                int sm = unsignedByte(source, offset + group);
                float scale = d * (sm & 15);
                float min = dmin * (sm >> 4);
                long quants = offset + 16 + group / 8L * 32 + group % 2L * 16;
                int shift = group / 2 % 4 * 2;
                for (int j = 0; j < 16; j++) {
                    target[i + 16 * group + j] = scale * (unsignedByte(source, quants + j) >> shift & 3) - min;
                }
            }
        }
    }
}
