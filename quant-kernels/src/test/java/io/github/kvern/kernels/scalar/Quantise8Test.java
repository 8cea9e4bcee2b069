package io.github.kvern.kernels.scalar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class Quantise8Test {
    static Stream<Fixture> fixtures() {
        return Fixture.all().stream().filter(f -> f.dot().isPresent());
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 256})
    void roundsHalfToEven(int length) {
        float[] x = new float[length];
        x[0] = -127; // so that d is 1
        float[] halves = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 126.5f, 0.4999f, 0.5001f};
        System.arraycopy(halves, 0, x, 1, halves.length);
        Blocks8 b = quantise(length, x);
        assertEquals(1, b.d[0]);
        assertArrayEquals(new byte[] {-127, 0, 2, 2, 0, -2, 126, 0, 1, 0}, Arrays.copyOf(b.q, 10));
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 256})
    void staysWithinHalfAStep(int length) {
        for (long seed = 1; seed <= 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            float[] x = new float[4 * length];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-4, 4) + (i / length - 2) * 30));
            }
            Blocks8 b = quantise(length, x);
            for (int i = 0; i < x.length; i++) {
                float d = b.d[i / length];
                assertEquals(x[i], (double) d * b.q[i], 0.50002 * d, "seed " + seed + ", value " + i);
                assertTrue(b.q[i] >= -127, "seed " + seed + ", value " + i);
            }
            for (int from = 0; from < x.length; from += length) {
                int most = 0;
                for (int i = from; i < from + length; i++) most = Math.max(most, Math.abs(b.q[i]));
                assertEquals(127, most, "seed " + seed + ": the largest value of a block takes the last step");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 256})
    void knowsTheEndsOfTheFloats(int length) {
        assertArrayEquals(new byte[length], quantise(length, new float[length]).q);
        float[] x = new float[length];
        Arrays.fill(x, 1e-40f);
        Blocks8 b = quantise(length, x);
        assertEquals(0, b.d[0], "too small for a reciprocal");
        assertArrayEquals(new byte[length], b.q);
        Arrays.fill(x, 127 * Float.MIN_NORMAL);
        assertEquals(127, quantise(length, x).q[0], "just large enough");
        Arrays.fill(x, -Float.MAX_VALUE);
        b = quantise(length, x);
        assertEquals(-127, b.q[length - 1]);
        assertEquals(Float.MAX_VALUE / 127, b.d[0]);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            Arrays.fill(x, 1);
            x[5] = bad;
            b = quantise(length, x);
            for (byte q : b.q) assertTrue(Float.isNaN(b.d[0] * q), "every product is NaN");
        }
    }

    @Test
    void writesWhereItIsTold() {
        float[] x = new float[7 + 64];
        Arrays.fill(x, 3);
        byte[] q = new byte[2 + 64 + 1];
        float[] d = new float[1 + 2 + 1];
        Quantise8.blocks32(x, 7, 64, q, 2, d, 1);
        assertArrayEquals(new byte[] {0, 0, 127}, Arrays.copyOf(q, 3));
        assertArrayEquals(new byte[] {127, 0}, Arrays.copyOfRange(q, 65, 67));
        assertArrayEquals(new float[] {0, 3f / 127, 3f / 127, 0}, d);
        short[] sums = new short[1 + 4 + 1];
        Quantise8.sums(16, q, 2, 64, sums, 1);
        assertArrayEquals(new short[] {0, 2032, 2032, 2032, 2032, 0}, sums);
        Quantise8.sums(32, q, 2, 64, sums, 0);
        assertArrayEquals(new short[] {4064, 4064, 2032, 2032, 2032, 0}, sums);
        Quantise8.sums(16, new byte[] {-128, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 16, sums, 0);
        assertEquals(-121, sums[0]);
    }

    @Test
    void refusesPartsOfBlocks() {
        assertThrows(IllegalArgumentException.class, () -> Quantise8.blocks32(new float[64], 0, 33, new byte[64], 0, new float[2], 0));
        assertThrows(IllegalArgumentException.class, () -> Quantise8.blocks256(new float[512], 0, 128, new byte[512], 0, new float[2], 0));
        assertThrows(IllegalArgumentException.class, () -> Quantise8.blocks256(new float[512], 0, -256, new byte[512], 0, new float[2], 0));
        assertThrows(IllegalArgumentException.class, () -> Quantise8.sums(64, new byte[64], 0, 64, new short[1], 0));
        assertThrows(IllegalArgumentException.class, () -> Quantise8.sums(32, new byte[64], 0, 16, new short[1], 0));
    }

    /// The product with our 8 bits is as far from the product with ggml's as two independent roundings let it be: each is off by
    /// a rectangular error of `d / √12`, and six standard deviations of the difference are allowed. (ggml's scale may be a
    /// half float and its block 32 or 256, so the wider of ours stands for it.)
    @ParameterizedTest
    @MethodSource("fixtures")
    void dotsAsWellAsEightBitsCan(Fixture f) {
        float[] x = Fixture.activation();
        Blocks8 wide = quantise(256, x);
        for (Blocks8 b : new Blocks8[] {quantise(32, x), wide}) {
            for (int row = 0; row < Fixture.ROWS; row++) {
                double dot = 0;
                double variance = 0;
                for (int k = 0; k < x.length; k++) {
                    double w = f.decoded()[row * x.length + k];
                    dot += w * b.d[k / b.length] * b.q[k];
                    variance += w * w * (square(b.d[k / b.length]) + square(wide.d[k / 256])) / 12;
                }
                double expected = f.dot().orElseThrow().exactQuantised()[row];
                assertEquals(expected, dot, 6 * Math.sqrt(variance), f + ", blocks of " + b.length + ", row " + row);
            }
        }
    }

    private static double square(double d) {
        return d * d;
    }

    private record Blocks8(int length, byte[] q, float[] d) {
    }

    private static Blocks8 quantise(int length, float[] x) {
        Blocks8 b = new Blocks8(length, new byte[x.length], new float[x.length / length]);
        if (length == 32) Quantise8.blocks32(x, 0, x.length, b.q, 0, b.d, 0);
        else Quantise8.blocks256(x, 0, x.length, b.q, 0, b.d, 0);
        return b;
    }
}
