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
            for (int group = 0; group < 16; group++) {
                float scale = d * signedByte(source, offset + 192 + group);
                long low = offset + group / 8 * 64 + group % 4 * 16;
                int lowShift = group / 4 % 2 * 4;
                long high = offset + 128 + group / 8 * 32 + group % 2 * 16;
                int highShift = group / 2 % 4 * 2;
                for (int j = 0; j < 16; j++) {
                    int q = unsignedByte(source, low + j) >> lowShift & 15 | (unsignedByte(source, high + j) >> highShift & 3) << 4;
                    target[i + 16 * group + j] = scale * (q - 32);
                }
            }
        }
    }
}
