package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 4 bits a value, 32 values with one scale, and steps that are finer near zero: `x = d * LEVELS[q]`.
/// ```
/// byte  0..1   2..17
///       d      q of values 0..15 in the low nibbles,
///       half   of values 16..31 in the high nibbles
/// ```
public final class IQ4_NL {
    private static final byte[] LEVELS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private IQ4_NL() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 18) {
            write(half(source, offset), source, offset + 2, target, i);
        }
    }

    /// Writes 32 values from 16 bytes.
    static void write(float scale, MemorySegment source, long offset, float[] target, int at) {
        for (int j = 0; j < 16; j++) {
            int q = unsignedByte(source, offset + j);
            target[at + j] = scale * LEVELS[q & 15];
            target[at + j + 16] = scale * LEVELS[q >> 4];
        }
    }
}
