package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedShort;

import java.lang.foreign.MemorySegment;

/// 2.31 bits a value; 32 groups of 8 values, each a point of a grid of 512 and signs; each 16 values share a 4-bit scale:
/// `x = (d * (0.5 + s) * 0.25) * ±g`.
/// ```
/// byte  0..1   2..65: 32 16-bit words, group i:           66..73: s of values 0..15 in the first
///       d      point in bits 0..8, 7 signs in bits 9..15  low nibble, 16..31 in the first high nibble
///       half
/// ```
public final class IQ2_XS {
    private IQ2_XS() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 74) {
            float d = half(source, offset);
            for (int group = 0; group < 32; group++) {
                int s = unsignedByte(source, offset + 66 + group / 4) >> group / 2 % 2 * 4 & 15;
                float scale = d * (0.5f + s) * 0.25f;
                int word = unsignedShort(source, offset + 2 + 2L * group);
                Signs.write(scale, Grids.IQ2_XS[word & 511], Signs.ofSeven(word >> 9), target, i + 8 * group);
            }
        }
    }
}
