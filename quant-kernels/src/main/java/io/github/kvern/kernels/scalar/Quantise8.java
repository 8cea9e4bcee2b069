package io.github.kvern.kernels.scalar;

/// Activations in 8 bits: what integer kernels multiply weights with, and the specification of every faster quantiser.
///
/// A block of values shares a float scale `d = max|x| / 127`; a value becomes `q = round(x * (1 / d))`, a half rounded to the
/// even neighbour, so that `x` is `d * q` within `d / 2`. All of it is float32 arithmetic, q is -127 to 127.
///
/// A block whose `d` is below the normal floats (all values under about 1.5e-36) is taken as zero: its reciprocal would not be
/// a number. A block with a value that is not finite has a scale that is not finite and zeros for q, so every product with it is
/// NaN, and nothing is silently wrong.
public final class Quantise8 {
    private Quantise8() {
    }

    /// Blocks of 32 values. `count` values of `x` from `at` on become as many bytes of `q` from `qAt` on and `count / 32`
    /// scales of `d` from `dAt` on.
    public static void blocks32(float[] x, int at, int count, byte[] q, int qAt, float[] d, int dAt) {
        blocks(32, x, at, count, q, qAt, d, dAt);
    }

    /// Blocks of 256 values; else as [#blocks32].
    public static void blocks256(float[] x, int at, int count, byte[] q, int qAt, float[] d, int dAt) {
        blocks(256, x, at, count, q, qAt, d, dAt);
    }

    /// The sums of each `length` bytes, which a product needs for an offset or a minimum: `count / length` of them, not yet
    /// scaled, into `sums` from `sumsAt` on.
    ///
    /// @param length 16 or 32; a longer run might not fit a short
    public static void sums(int length, byte[] q, int qAt, int count, short[] sums, int sumsAt) {
        if (length != 16 && length != 32) throw new IllegalArgumentException("expected sums of 16 or 32 values, found " + length);
        requireWhole(length, count);
        for (int i = 0; i < count; i += length) {
            int sum = 0;
            for (int j = 0; j < length; j++) sum += q[qAt + i + j];
            sums[sumsAt + i / length] = (short) sum;
        }
    }

    private static void blocks(int length, float[] x, int at, int count, byte[] q, int qAt, float[] d, int dAt) {
        requireWhole(length, count);
        for (int i = 0; i < count; i += length) {
            float max = 0;
            for (int j = 0; j < length; j++) max = Math.max(max, Math.abs(x[at + i + j]));
            float scale = max / 127;
            if (scale < Float.MIN_NORMAL) scale = 0;
            float reciprocal = scale == 0 ? 0 : 1 / scale;
            for (int j = 0; j < length; j++) q[qAt + i + j] = (byte) Math.rint(x[at + i + j] * reciprocal);
            d[dAt + i / length] = scale;
        }
    }

    private static void requireWhole(int length, int count) {
        if (count < 0 || count % length != 0) {
            throw new IllegalArgumentException("expected a multiple of " + length + ", found " + count + " values");
        }
    }
}
