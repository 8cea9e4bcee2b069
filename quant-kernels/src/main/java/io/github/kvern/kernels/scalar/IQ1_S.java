package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedShort;

import java.lang.foreign.MemorySegment;

/// 1.56 bits a value; 32 groups of 8 values, each a point of a grid of 2048 with values -1, 0, 1; each 32 values share a 3-bit
/// scale and the sign of a shift: `x = (d * (2 s + 1)) * (g ± 0.125)`.
/// ```
/// byte  0..1   2..33         34..49: eight 16-bit words, for each 32 values:
///       d      bits 0..7 of  bits 8..10 of its four points in bits 0..11,
///       half   point i       s in bits 12..14, the shift is minus when bit 15 is set
/// ```
public final class IQ1_S {
    /// How far every value of a group is moved, so that a zero of the grid is not exactly zero.
    static final float SHIFT = 0.125f;

    private IQ1_S() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 50) {
            float d = half(source, offset);
            for (int part = 0; part < 8; part++) {
                int word = unsignedShort(source, offset + 34 + 2L * part);
                float scale = d * (2 * (word >> 12 & 7) + 1);
                float shift = (word & 0x8000) == 0 ? SHIFT : -SHIFT;
                for (int k = 0; k < 4; k++) {
                    long point = Grids.IQ1[unsignedByte(source, offset + 2 + 4L * part + k) | (word >> 3 * k & 7) << 8];
                    write(scale, point, shift, target, i + 32 * part + 8 * k);
                }
            }
        }
    }

    /// Writes `scale * (value + shift)` for the eight values in the bytes of `point`.
    static void write(float scale, long point, float shift, float[] target, int at) {
        for (int j = 0; j < 8; j++) target[at + j] = scale * ((byte) (point >>> 8 * j) + shift);
    }
}
