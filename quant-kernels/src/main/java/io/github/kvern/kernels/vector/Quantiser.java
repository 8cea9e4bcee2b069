package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Activations in 8 bits: the numbers of `scalar.Quantise8`, bit for bit.
final class Quantiser {
    /// Adding and taking away 1.5 * 2^23 rounds to an integer, a half to the even neighbour.
    private static final float MAGIC = 12582912f;

    private Quantiser() {}

    /// Quantises one block of `length` values (a multiple of 16).
    ///
    /// @param q takes -127 to 127, one an int
    /// @param vectors false computes the same in plain loops
    /// @return the scale: a value is about `scale * q`
    static float block(float[] x, int at, int length, int[] q, boolean vectors) {
        return vectors ? block(x, at, length, q) : plain(x, at, length, q);
    }

    private static float plain(float[] x, int at, int length, int[] q) {
        float largest = 0;
        for (int i = 0; i < length; i++) largest = Math.max(largest, Math.abs(x[at + i]));
        float scale = largest / 127;
        if (scale < Float.MIN_NORMAL) scale = 0;
        float reciprocal = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < length; i++) q[i] = (int) (x[at + i] * reciprocal + MAGIC - MAGIC);
        return scale;
    }

    static float block(float[] x, int at, int length, int[] q) {
        FloatVector largest = FloatVector.zero(F);
        for (int i = 0; i < length; i += L) largest = largest.max(FloatVector.fromArray(F, x, at + i).abs());
        float scale = largest.reduceLanes(VectorOperators.MAX) / 127;
        if (scale < Float.MIN_NORMAL) scale = 0;
        float reciprocal = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < length; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, at + i).mul(reciprocal).add(MAGIC).sub(MAGIC);
            ((IntVector) v.convert(VectorOperators.F2I, 0)).intoArray(q, i);
        }
        return scale;
    }
}
