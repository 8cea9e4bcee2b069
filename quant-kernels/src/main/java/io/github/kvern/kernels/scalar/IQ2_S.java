package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 2.56 bits a value; 32 groups of 8 values, each a point of a grid of 1024 and signs; each 16 values share a 4-bit scale:
/// `x = (d * (0.5 + s) * 0.25) * ±g`.
/// ```
/// byte  0..1   2..33          34..65      66..73: bits 8 and 9  74..81: s of values 0..15 in the
///       d      bits 0..7 of   8 signs of  of the points, four   first low nibble, of 16..31 in
///       half   point i        group i     to a byte             the first high nibble
/// ```
public final class IQ2_S {
    private IQ2_S() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 82) {
            float d = half(source, offset);
            for (int group = 0; group < 32; group++) {
                int s = unsignedByte(source, offset + 74 + group / 4) >> group / 2 % 2 * 4 & 15;
                float scale = d * (0.5f + s) * 0.25f;
                int high = unsignedByte(source, offset + 66 + group / 4) >> group % 4 * 2 & 3;
                long point = Grids.IQ2_S[unsignedByte(source, offset + 2 + group) | high << 8];
                Signs.write(scale, point, unsignedByte(source, offset + 34 + group), target, i + 8 * group);
            }
        }
    }
}
