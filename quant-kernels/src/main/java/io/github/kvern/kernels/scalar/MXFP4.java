package io.github.kvern.kernels.scalar;

import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// 4 bits a value, 32 E2M1 floats with one power of two: `x = e * q`.
/// ```
/// byte  0      1..16
///       e      q of values 0..15 in the low nibbles,
///       E8M0   of values 16..31 in the high nibbles
/// ```
public final class MXFP4 {
    private MXFP4() {
    }

    /// Decodes `count` values, a multiple of 32, from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(32, count, target, at);
        for (int i = at; i < at + count; i += 32, offset += 17) {
            float halfScale = TinyFloats.halfE8M0(unsignedByte(source, offset));
            for (int j = 0; j < 16; j++) {
                int q = unsignedByte(source, offset + 1 + j);
                target[i + j] = halfScale * TinyFloats.twiceE2M1(q & 15);
                target[i + j + 16] = halfScale * TinyFloats.twiceE2M1(q >> 4);
            }
        }
    }
}
