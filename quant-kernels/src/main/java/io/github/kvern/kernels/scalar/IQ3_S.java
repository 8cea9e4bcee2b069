package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 3.44 bits a value; 64 groups of 4 values, each a point of a grid of 512, and signs; each 32 values share a 4-bit scale:
/// `x = (d * (1 + 2 s)) * ±g`.
/// ```
/// byte  0..1   2..65         66..73         74..105         106..109: s of values
///       d      bits 0..7 of  bit 8 of the   8 signs to      0..31 in the first low,
///       half   point i       points, eight  a byte          of 32..63 in the first
///                            to a byte                      high nibble
/// ```
public final class IQ3_S {
    private IQ3_S() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 110) {
            float d = half(source, offset);
            for (int part = 0; part < 8; part++) {
                int s = unsignedByte(source, offset + 106 + part / 2) >> part % 2 * 4 & 15;
                float scale = d * (1 + 2 * s);
                int high = unsignedByte(source, offset + 66 + part);
                for (int k = 0; k < 4; k++) {
                    long from = offset + 2 + 8L * part + 2L * k;
                    int first = Grids.IQ3_S[unsignedByte(source, from) | (high >> 2 * k & 1) << 8];
                    int second = Grids.IQ3_S[unsignedByte(source, from + 1) | (high >> 2 * k + 1 & 1) << 8];
                    int signs = unsignedByte(source, offset + 74 + 4L * part + k);
                    Signs.write(scale, Signs.join(first, second), signs, target, i + 32 * part + 8 * k);
                }
            }
        }
    }
}
