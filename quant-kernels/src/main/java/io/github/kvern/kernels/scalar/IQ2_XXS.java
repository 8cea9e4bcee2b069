package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 2.06 bits a value; 32 groups of 8 values, each a point of a grid of 256 and signs; each 32 values share a 4-bit scale:
/// `x = (d * (0.5 + s) * 0.25) * ±g`.
/// ```
/// byte  0..1   2..65: eight times, for each 32 values
///       d      0..3: four points   4..7: 32 bits, lowest first: four times 7 signs, then s
///       half
/// ```
public final class IQ2_XXS {
    private IQ2_XXS() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 66) {
            float d = half(source, offset);
            for (int part = 0; part < 8; part++) {
                long from = offset + 2 + 8L * part;
                int signs = source.get(LittleEndian.INT, from + 4);
                float scale = d * (0.5f + (signs >>> 28)) * 0.25f;
                for (int k = 0; k < 4; k++) {
                    long point = Grids.IQ2_XXS[unsignedByte(source, from + k)];
                    Signs.write(scale, point, Signs.ofSeven(signs >>> 7 * k), target, i + 32 * part + 8 * k);
                }
            }
        }
    }
}
