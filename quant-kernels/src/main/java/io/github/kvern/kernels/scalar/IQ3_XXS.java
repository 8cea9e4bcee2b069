package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 3.06 bits a value; 64 groups of 4 values, each a point of a grid of 256, and signs; each 32 values share a 4-bit scale:
/// `x = (d * (0.5 + s) * 0.5) * ±g`.
/// ```
/// byte  0..1   2..65     66..97: eight times, for each 32 values
///       d      64        32 bits, lowest first: four times 7 signs
///       half   points    (of 8 values), then s
/// ```
public final class IQ3_XXS {
    private IQ3_XXS() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 98) {
            float d = half(source, offset);
            for (int part = 0; part < 8; part++) {
                int signs = source.get(LittleEndian.INT, offset + 66 + 4L * part);
                float scale = d * (0.5f + (signs >>> 28)) * 0.5f;
                for (int k = 0; k < 4; k++) {
                    long from = offset + 2 + 8L * part + 2L * k;
                    long points = Signs.join(Grids.IQ3_XXS[unsignedByte(source, from)], Grids.IQ3_XXS[unsignedByte(source, from + 1)]);
                    Signs.write(scale, points, Signs.ofSeven(signs >>> 7 * k), target, i + 32 * part + 8 * k);
                }
            }
        }
    }
}
