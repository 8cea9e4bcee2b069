package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 1.69 bits a value, 256 values -1, 0 or 1 with one scale, five to a byte: `x = d * (q - 1)`.
/// ```
/// byte  0..31: 160 values, q of    32..47: 80 values,   48..51: 16 values,  52..53
///       values j, 32 + j, 64 + j,  of 160 + j, 176 + j  of 240 + j .. 252   d
///       .. 128 + j in byte j       ..  in byte 32 + j   + j in byte 48 + j  half
/// ```
/// A byte is the fraction 0.q0q1q2q3q4 in base three, in 256ths and rounded up. Multiplied by 3^k its digits before digit k move
/// beyond the byte, and thrice what is left is digit k and a fraction.
public final class TQ1_0 {
    private TQ1_0() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 54) {
            float d = half(source, offset + 52);
            for (int k = 0, power = 1; k < 5; k++, power *= 3) {
                write(d, source, offset, 32, power, target, i + 32 * k);
                write(d, source, offset + 32, 16, power, target, i + 160 + 16 * k);
                if (k < 4) write(d, source, offset + 48, 4, power, target, i + 240 + 4 * k);
            }
        }
    }

    private static void write(float d, MemorySegment source, long offset, int bytes, int power, float[] target, int at) {
        for (int j = 0; j < bytes; j++) {
            int fraction = unsignedByte(source, offset + j) * power & 255;
            target[at + j] = d * ((fraction * 3 >> 8) - 1);
        }
    }
}
