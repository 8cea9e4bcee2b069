package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.signedByte;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 6 bits a value; 16 groups of 16 values, each with an 8-bit scale: `x = (d * s) * (q - 32)`.
/// ```
/// byte  0..127         128..191       192..207            208..209
///       bits 0..3      bits 4 and 5   s of groups 0..15   d
///       of q           of q           signed              half
/// ```
/// The values come in two halves of 128, with 64 bytes of low and 32 bytes of high bits each. Of a half, the low nibbles of its
/// 64 bytes are those of values 0..63 and the high nibbles those of values 64..127; bits 2k and 2k + 1 of byte j of its 32 bytes
/// are the high bits of value 32k + j.
public final class Q6_K {
    private Q6_K() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 210) {
            float d = half(source, offset + 208);
            for (int part = 0; part < 4; part++) { // every other 16 values of a half: they share bytes, and four scales
                int half = part / 2;
                int from = part % 2 * 16;
                long low = offset + 64L * half + from;
                long high = offset + 128 + 32L * half + from;
                long scales = offset + 192 + 8L * half + part % 2;
                float scale0 = d * signedByte(source, scales);
                float scale1 = d * signedByte(source, scales + 2);
                float scale2 = d * signedByte(source, scales + 4);
                float scale3 = d * signedByte(source, scales + 6);
                int to = i + 128 * half + from;
                for (int j = 0; j < 16; j++) {
                    int low02 = unsignedByte(source, low + j);
                    int low13 = unsignedByte(source, low + 32 + j);
                    int bits = unsignedByte(source, high + j);
                    target[to + j] = scale0 * ((low02 & 15 | (bits & 3) << 4) - 32);
                    target[to + j + 32] = scale1 * ((low13 & 15 | (bits >> 2 & 3) << 4) - 32);
                    target[to + j + 64] = scale2 * ((low02 >> 4 | (bits >> 4 & 3) << 4) - 32);
                    target[to + j + 96] = scale3 * ((low13 >> 4 | bits >> 6 << 4) - 32);
                }
            }
        }
    }
}
