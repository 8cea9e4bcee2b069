package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.signedByte;

import java.lang.foreign.MemorySegment;

/// 8 bits a value, 256 values with one scale: `x = d * q`. Made for activations: the sums spare a product with an offset the sum
/// of each 16 values, and say nothing about the values.
/// ```
/// byte  0..3    4..259              260..291
///       d       q of values 0..255  Σq of each 16 values
///       float   signed              16-bit, signed
/// ```
public final class Q8_K {
    private Q8_K() {
    }

    /// Decodes `count` values, a multiple of 256, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(256, count, target, at);
        for (int i = at; i < at + count; i += 256, offset += 292) {
            float d = source.get(LittleEndian.FLOAT, offset);
            for (int j = 0; j < 256; j++) target[i + j] = d * signedByte(source, offset + 4 + j);
        }
    }
}
