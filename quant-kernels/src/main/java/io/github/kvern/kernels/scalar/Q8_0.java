package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.signedByte;

import java.lang.foreign.MemorySegment;

/// 8 bits a value, 32 values with one scale: `x = d * q`.
/// ```
/// byte  0..1   2..33
///       d      q of values 0..31
///       half   signed
/// ```
public final class Q8_0 {
    private Q8_0() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 34) {
            float d = half(source, offset);
            for (int j = 0; j < 32; j++) target[i + j] = d * signedByte(source, offset + 2 + j);
        }
    }
}
