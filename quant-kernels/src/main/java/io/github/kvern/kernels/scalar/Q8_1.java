package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.signedByte;

import java.lang.foreign.MemorySegment;

/// 8 bits a value, 32 values with one scale: `x = d * q`. Made for activations: `s` spares a product with an offset the sum of
/// the block, and says nothing about the values.
/// ```
/// byte  0..1   2..3        4..35
///       d      s = d * Σq  q of values 0..31
///       half   half        signed
/// ```
public final class Q8_1 {
    private Q8_1() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 36) {
            float d = half(source, offset);
            for (int j = 0; j < 32; j++) target[i + j] = d * signedByte(source, offset + 4 + j);
        }
    }
}
