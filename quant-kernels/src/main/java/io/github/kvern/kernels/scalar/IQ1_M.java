package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 1.75 bits a value; 32 groups of 8 values, each a point of the grid of IQ1_S and the sign of a shift; each 16 values share a
/// 3-bit scale: `x = (d * (2 s + 1)) * (g ± 0.125)`.
/// ```
/// byte  0..31         32..47: a nibble for each group, low  48..55: four 16-bit words, each:
///       bits 0..7 of  first: bits 8..10 of the point, then  s of four times 16 values in bits 0..11,
///       point i       1 when the shift is minus             a quarter of the half d in bits 12..15
/// ```
public final class IQ1_M {
    private IQ1_M() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 56) {
            long words = source.get(LittleEndian.LONG, offset + 48);
            long quarters = words >>> 12 & 0x000f | words >>> 24 & 0x00f0 | words >>> 36 & 0x0f00 | words >>> 48 & 0xf000;
            float d = Float.float16ToFloat((short) quarters);
            for (int group = 0; group < 32; group++) {
                int s = (int) (words >>> group / 8 * 16 + group / 2 % 4 * 3) & 7;
                float scale = d * (2 * s + 1);
                int high = unsignedByte(source, offset + 32 + group / 2) >> group % 2 * 4;
                float shift = (high & 8) == 0 ? IQ1_S.SHIFT : -IQ1_S.SHIFT;
                long point = Grids.IQ1[unsignedByte(source, offset + group) | (high & 7) << 8];
                IQ1_S.write(scale, point, shift, target, i + 8 * group);
            }
        }
    }
}
