package io.github.kvern.kernels.scalar;

/// The signs of eight values as the bits of a byte, 1 for minus. Some types keep only seven of them: in those the number of
/// minus signs is even, so the eighth follows.
final class Signs {
    private Signs() {
    }

    /// All eight signs, from the seven in bits 0..6.
    static int ofSeven(int seven) {
        return seven & 127 | (Integer.bitCount(seven & 127) & 1) << 7;
    }

    /// Writes `scale * ±value` for the eight values in the bytes of `point`.
    static void write(float scale, long point, int signs, float[] target, int at) {
        for (int j = 0; j < 8; j++) {
            int minus = -(signs >> j & 1);
            target[at + j] = scale * (((byte) (point >>> 8 * j) ^ minus) - minus);
        }
    }

    /// Two points of four values as one of eight.
    static long join(int first, int second) {
        return first & 0xffffffffL | (long) second << 32;
    }
}
