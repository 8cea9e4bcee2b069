package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// The vector operations have the scalar class's bits, and the scalar class computes what it says.
final class OpsTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_260_103);
    private static final int AT = 3;

    /// Values of every size, and some that are no numbers.
    private static float[] values(int count, SplittableRandom random) {
        float[] v = new float[count];
        for (int i = 0; i < count; i++) {
            v[i] = switch (random.nextInt(12)) {
                case 0 -> Float.intBitsToFloat(random.nextInt());
                case 1 -> (float) random.nextGaussian() * 100;
                default -> (float) random.nextGaussian();
            };
        }
        return v;
    }

    private static void same(String what, float[] x, Consumer<float[]> scalar, Consumer<float[]> vector) {
        float[] a = x.clone(), b = x.clone();
        scalar.accept(a);
        vector.accept(b);
        assertArrayEquals(a, b, what + ", seed " + SEED); // compares bits, any NaN equals any
    }

    @Test
    void vectorsHaveTheScalarBits() {
        Ops scalar = new Ops(), vector = Kernels.best().ops();
        assertEquals(VectorOps.class, vector.getClass());
        SplittableRandom random = new SplittableRandom(SEED);
        for (int n = 1; n < 200; n++) {
            int size = n;
            float[] x = values(2 * n + 7, random), y = values(2 * n + 7, random), z = values(n + 7, random);
            float f = (float) random.nextGaussian();
            same("norm", x, v -> scalar.rmsNorm(v.clone(), AT, y, v, 2, size, 1e-5f),
                    v -> vector.rmsNorm(v.clone(), AT, y, v, 2, size, 1e-5f));
            same("plain norm", x, v -> scalar.rmsNorm(v, AT, size, 1e-5f), v -> vector.rmsNorm(v, AT, size, 1e-5f));
            same("scale", x, v -> scalar.scale(v, AT, size, f), v -> vector.scale(v, AT, size, f));
            same("add", x, v -> scalar.add(v, AT, y, 5, size), v -> vector.add(v, AT, y, 5, size));
            same("addScaled", x, v -> scalar.addScaled(v, AT, y, 5, size, f), v -> vector.addScaled(v, AT, y, 5, size, f));
            same("pairs", x, v -> scalar.rotatePairs(v, AT, size, y, z, 6), v -> vector.rotatePairs(v, AT, size, y, z, 6));
            same("halves", x, v -> scalar.rotateHalves(v, AT, size, y, z, 6), v -> vector.rotateHalves(v, AT, size, y, z, 6));
            for (GatedUnit unit : GatedUnit.values())
                same(unit + "", x, v -> scalar.gated(unit, v, AT, y, 5, size), v -> vector.gated(unit, v, AT, y, 5, size));
        }
    }

    @Test
    void expIsCorrectToAUnitInTheLastPlace() {
        for (int sign = -1; sign <= 1; sign += 2) {
            for (int bits = 0; bits < Float.floatToIntBits(120f); bits += 9973) {
                float x = sign * Float.intBitsToFloat(bits);
                double exact = StrictMath.exp(x);
                float found = Ops.exp(x);
                if (exact > Float.MAX_VALUE) assertEquals(Float.POSITIVE_INFINITY, found, "exp " + x);
                else assertTrue(Math.abs(found - exact) <= Math.ulp((float) exact), "exp " + x + " = " + found);
            }
        }
        assertEquals(1f, Ops.exp(0));
        assertEquals(0f, Ops.exp(Float.NEGATIVE_INFINITY));
        assertEquals(Float.POSITIVE_INFINITY, Ops.exp(Float.POSITIVE_INFINITY));
        assertEquals(Float.NaN, Ops.exp(Float.NaN));
    }

    @Test
    void gatesAndNorms() {
        Ops ops = Kernels.best().ops();
        float[] gate = {0, 1, -2, 100, -200}, up = {3, 2, 1, 0.5f, 4};
        ops.swiGlu(gate, 0, up, 0, 5);
        float[] expected = {0, 2 * 0.73105858f, -2 * 0.11920292f, 50, 0};
        for (int i = 0; i < 5; i++) assertEquals(expected[i], gate[i], 1e-6, "silu " + i);
        double[] zs = {0, 1, -2, 5, -5, 9, -60, 60, 1e30};
        for (double z : zs) {
            float[] g = {(float) z}, c = {(float) z};
            ops.gated(GatedUnit.GE_GLU, g, 0, new float[] {3}, 0, 1);
            assertEquals(3 * z / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z))), g[0],
                    1e-6 * (1 + Math.abs(z)), "gelu " + z);
            for (float u : new float[] {3, -9, 8}) {
                c[0] = (float) z;
                ops.gated(GatedUnit.CLAMPED_SWI_GLU, c, 0, new float[] {u}, 0, 1);
                double bound = Math.min(z, 7);
                assertEquals(bound / (1 + Math.exp(-1.702 * bound)) * (Math.clamp(u, -7, 7) + 1), c[0], 1e-5, "clamped " + z + ", " + u);
            }
        }
        float[] x = {3, 4, 0, 0};
        ops.rmsNorm(x, 0, 4, 0);
        assertArrayEquals(new float[] {1.2f, 1.6f, 0, 0}, x, 1e-6f);
        float[] s = {1, 2, 3};
        Ops.softmax(s, 0, 3);
        assertArrayEquals(new float[] {0.09003057f, 0.24472848f, 0.66524094f}, s, 1e-6f);
        assertEquals(0.5f, Ops.sigmoid(0));
        float[] r = {1, 2, 3, 4};
        ops.rotatePairs(r, 0, 2, new float[] {0, 1}, new float[] {1, 0}, 0);
        assertArrayEquals(new float[] {-2, 1, 3, 4}, r);
        ops.rotateHalves(r, 0, 2, new float[] {0, 1}, new float[] {1, 0}, 0);
        assertArrayEquals(new float[] {-3, 1, -2, 4}, r);
    }
}
