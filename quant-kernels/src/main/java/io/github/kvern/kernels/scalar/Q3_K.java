package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 3 bits a value; 16 groups of 16 values, each with a 6-bit scale: `x = (d * (s - 32)) * (q - 4)`.
/// ```
/// byte  0..31                     32..95                  96..107        108..109
///       bit k of byte j is bit 2  bits 0 and 1 of q       s, see below   d
///       of q of value 32k + j     as in Q2_K                             half
/// ```
/// Scale i: its bits 0..3 are the low (i < 8) or high nibble of byte i mod 8 of the twelve; its bits 4 and 5 are bits
/// 2(i / 4) and the next of byte 8 + i mod 4.
public final class Q3_K {
    private Q3_K() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 110) {
            float d = half(source, offset + 108);
            for (int group = 0; group < 16; group++) {
                int low = unsignedByte(source, offset + 96 + group % 8) >> group / 8 * 4 & 15;
                int high = unsignedByte(source, offset + 104 + group % 4) >> group / 4 * 2 & 3;
                float scale = d * ((low | high << 4) - 32);
                long mask = offset + group % 2 * 16;
                long quants = offset + 32 + group / 8 * 32 + group % 2 * 16;
                int shift = group / 2 % 4 * 2;
                for (int j = 0; j < 16; j++) {
                    int q = unsignedByte(source, quants + j) >> shift & 3 | (unsignedByte(source, mask + j) >> group / 2 & 1) << 2;
                    target[i + 16 * group + j] = scale * (q - 4);
                }
            }
        }
    }
}
