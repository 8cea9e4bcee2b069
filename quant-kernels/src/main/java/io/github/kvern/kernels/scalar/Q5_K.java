package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 5 bits a value; 8 groups of 32 values, each with a 6-bit scale and a 6-bit minimum: `x = (d * s) * q - (dmin * m)`.
/// ```
/// byte  0..1   2..3   4..15           16..47                      48..175
///       d      dmin   s and m, see    bit k of byte j is bit 4    bits 0..3 of q as in Q4_K
///       half   half   SixBitScales    of q of value 32k + j
/// ```
public final class Q5_K {
    private Q5_K() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 176) {
            float d = half(source, offset);
            float dmin = half(source, offset + 2);
            long scales = SixBitScales.scales(source, offset + 4);
            long minimums = SixBitScales.minimums(source, offset + 4);
            for (int group = 0; group < 8; group++) {
                float scale = d * (scales >>> 8 * group & 63);
                float min = dmin * (minimums >>> 8 * group & 63);
                long quants = offset + 48 + group / 2L * 32;
                int shift = group % 2 * 4;
                for (int j = 0; j < 32; j++) {
                    int high = unsignedByte(source, offset + 16 + j) >> group & 1;
                    target[i + 32 * group + j] = scale * (unsignedByte(source, quants + j) >> shift & 15 | high << 4) - min;
                }
            }
        }
    }
}
