package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 2.06 bits a value, 256 values -1, 0 or 1 (the format leaves room for 2) with one scale: `x = d * (q - 1)`.
/// ```
/// byte  0..63                                             64..65
///       q, in two halves of 128 values with 32 bytes      d
///       each; bits 2k and 2k + 1 of byte j belong to      half
///       value 32k + j of the half
/// ```
public final class TQ2_0 {
    private TQ2_0() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 66) {
            float d = half(source, offset + 64);
            for (int group = 0; group < 8; group++) {
                for (int j = 0; j < 32; j++) {
                    int q = unsignedByte(source, offset + group / 4L * 32 + j) >> group % 4 * 2 & 3;
                    target[i + 32 * group + j] = d * (q - 1);
                }
            }
        }
    }
}
