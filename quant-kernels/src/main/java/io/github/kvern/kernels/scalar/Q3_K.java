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
            for (int part = 0; part < 4; part++) { // every other 16 values of a half: they share bytes, and have four scales
                int half = part / 2;
                int from = part % 2 * 16;
                float scale0 = d * scale(source, offset + 96, 8 * half + part % 2);
                float scale1 = d * scale(source, offset + 96, 8 * half + part % 2 + 2);
                float scale2 = d * scale(source, offset + 96, 8 * half + part % 2 + 4);
                float scale3 = d * scale(source, offset + 96, 8 * half + part % 2 + 6);
                int to = i + 128 * half + from;
                for (int j = 0; j < 16; j++) {
                    int low = unsignedByte(source, offset + 32 + 32L * half + from + j);
                    int high = unsignedByte(source, offset + from + j) >> 4 * half;
                    target[to + j] = scale0 * ((low & 3 | (high & 1) << 2) - 4);
                    target[to + j + 32] = scale1 * ((low >> 2 & 3 | (high >> 1 & 1) << 2) - 4);
                    target[to + j + 64] = scale2 * ((low >> 4 & 3 | (high >> 2 & 1) << 2) - 4);
                    target[to + j + 96] = scale3 * ((low >> 6 | (high >> 3 & 1) << 2) - 4);
                }
            }
        }
    }

    /// The scale of a group of 16 values, -32 to 31.
    private static int scale(MemorySegment source, long scales, int group) {
        int low = unsignedByte(source, scales + group % 8) >> group / 8 * 4 & 15;
        int high = unsignedByte(source, scales + 8 + group % 4) >> group / 4 * 2 & 3;
        return (low | high << 4) - 32;
    }
}
