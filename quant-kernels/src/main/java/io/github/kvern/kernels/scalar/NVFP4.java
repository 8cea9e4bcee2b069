package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 4 bits a value; 4 groups of 16 E2M1 floats, each with a scale of 8 bits: `x = s * q`. (A scale for the whole tensor, when there
/// is one, is a tensor of its own.)
/// ```
/// byte  0..3             4..35
///       s of groups 0..3 q: 8 bytes to a group, values 0..7 in the low nibbles,
///       unsigned E4M3    8..15 in the high nibbles
/// ```
public final class NVFP4 {
    private NVFP4() {
    }

    /// Decodes `count` values, a multiple of 64, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(64, count, target, at);
        for (int i = at; i < at + count; i += 64, offset += 36) {
            for (int group = 0; group < 4; group++) {
                float halfScale = TinyFloats.halfUE4M3(unsignedByte(source, offset + group));
                for (int j = 0; j < 8; j++) {
                    int q = unsignedByte(source, offset + 4 + 8L * group + j);
                    target[i + 16 * group + j] = halfScale * TinyFloats.twiceE2M1(q & 15);
                    target[i + 16 * group + j + 8] = halfScale * TinyFloats.twiceE2M1(q >> 4);
                }
            }
        }
    }
}
