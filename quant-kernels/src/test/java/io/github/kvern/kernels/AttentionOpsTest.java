package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The scalar inner loops of attention against arithmetic in double, and the vector ones against the scalar ones, bit for bit, at
/// the width this JVM has.
final class AttentionOpsTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_260_101);
    private static final int BLOCK = AttentionOps.BLOCK;
    private static final int[] SIZES = {1, 3, 4, 8, 12, 16, 20, 32, 36, 40, 48, 64, 72, 80, 96, 112, 128, 192, 256};
    private static final AttentionOps SCALAR = new AttentionOps();
    private static final AttentionOps VECTOR = Kernels.best().attention();

    @BeforeAll
    static void runsWhatItShould() {
        assertInstanceOf(WarmingAttention.class, VECTOR, Kernels.best().reason());
        String bits = System.getProperty("kvern.test.bits");
        if (bits != null) assertEquals("vector" + bits, Kernels.best().name());
    }

    private static float[] random(SplittableRandom random, int n, double spread) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = (float) (spread * (random.nextDouble() * 2 - 1));
        return x;
    }

    private static void assertBits(float[] expected, float[] actual, String what) {
        for (int i = 0; i < expected.length; i++)
            if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(actual[i])) // any NaN is as good as another
                throw new AssertionError(what + ": value " + i + " is " + actual[i] + ", expected " + expected[i]);
    }

    @Test
    void storesAndLoads() {
        for (TensorType storage : new TensorType[] {TensorType.F32, TensorType.F16})
            for (int size : SIZES) {
                SplittableRandom random = new SplittableRandom(SEED + size);
                String what = storage + ", size " + size;
                MemorySegment page = Arena.ofAuto()
                        .allocate(64 + Math.max(AttentionOps.keyBytes(storage, size), AttentionOps.valueBytes(storage, size)) + 64, 64);
                int stride = size + 5;
                float[] x = random(random, 3 + BLOCK * stride, 3);
                float[] byPosition = new float[BLOCK * size], byValue = new float[BLOCK * size];
                for (int p = 0; p < BLOCK; p++)
                    for (int i = 0; i < size; i++) {
                        float v = x[3 + p * stride + i];
                        byPosition[p * size + i] = byValue[i * BLOCK + p] = storage == TensorType.F32 ? v
                                : Float.float16ToFloat(Float.floatToFloat16(v));
                    }
                int cut = random.nextInt(BLOCK);
                SCALAR.storeKeys(storage, page, 64, cut, BLOCK - cut, x, 3 + cut * stride, stride, size);
                SCALAR.storeKeys(storage, page, 64, 0, cut, x, 3, stride, size);
                for (AttentionOps ops : new AttentionOps[] {SCALAR, VECTOR}) {
                    float[] keys = new float[BLOCK * size];
                    ops.loadKeys(storage, page, 64, keys, size);
                    assertBits(byValue, keys, what + ", keys");
                }
                SCALAR.storeValues(storage, page, 64, cut, BLOCK - cut, x, 3 + cut * stride, stride, size);
                SCALAR.storeValues(storage, page, 64, 0, cut, x, 3, stride, size);
                for (AttentionOps ops : new AttentionOps[] {SCALAR, VECTOR})
                    for (int positions : new int[] {1, 5, 31, 32, 33, 63, 64}) {
                        float[] values = new float[positions * size];
                        ops.loadValues(storage, page, 64, positions, values, size);
                        assertBits(Arrays.copyOf(byPosition, positions * size), values, what + ", " + positions + " values");
                    }
                for (long i = 0; i < 64; i++) {
                    assertEquals(0, page.get(ValueLayout.JAVA_BYTE, i), what);
                    assertEquals(0, page.get(ValueLayout.JAVA_BYTE, page.byteSize() - 1 - i), what);
                }
            }
    }

    /// Subnormal, infinite and not a number among them.
    @Test
    void readsEveryHalf() {
        int size = 65536 / BLOCK;
        MemorySegment page = Arena.ofAuto().allocate(2L * 65536, 64);
        for (int h = 0; h < 65536; h++) page.setAtIndex(ValueLayout.JAVA_SHORT, h, (short) h);
        float[] expected = new float[65536], actual = new float[65536];
        SCALAR.loadKeys(TensorType.F16, page, 0, expected, size);
        VECTOR.loadKeys(TensorType.F16, page, 0, actual, size);
        assertBits(expected, actual, "keys");
        assertEquals(Float.float16ToFloat((short) 0x0001), expected[16], "word 0 holds positions 0 and 16");
        for (int positions : new int[] {20, 50, 64}) {
            SCALAR.loadValues(TensorType.F16, page, 0, positions, expected, size);
            VECTOR.loadValues(TensorType.F16, page, 0, positions, actual, size);
            assertBits(expected, actual, positions + " values");
        }
    }

    @Test
    void scores() {
        for (int size : SIZES)
            for (int count = 1; count <= 19; count++) {
                SplittableRandom random = new SplittableRandom(SEED + size * 100 + count);
                float[] keys = random(random, size * BLOCK, 2), queries = random(random, count * size, 2);
                float[] packed = new float[(count + 7) / 8 * 8 * size];
                for (int c = 0; c < count; c++) SCALAR.pack(queries, c * size, size, 1, packed, c);
                float[] expected = new float[(count + 7) / 8 * 8 * BLOCK], actual = new float[expected.length];
                int first = random.nextInt(count);
                SCALAR.scores(keys, packed, size, first, count, 0.37f, expected);
                VECTOR.scores(keys, packed, size, first, count, 0.37f, actual);
                String what = "seed " + SEED + ", size " + size + ", queries " + first + " to " + count;
                assertBits(Arrays.copyOfRange(expected, first * BLOCK, count * BLOCK),
                        Arrays.copyOfRange(actual, first * BLOCK, count * BLOCK), what);
                for (int c = first; c < count; c++) {
                    int j = random.nextInt(BLOCK);
                    double sum = 0;
                    for (int i = 0; i < size; i++) sum += (double) queries[c * size + i] * keys[i * BLOCK + j];
                    assertEquals(sum * 0.37f, expected[c * BLOCK + j], 1e-6 * size, what);
                }
            }
    }

    @Test
    void weighs() {
        for (int round = 0; round < 3000; round++) {
            SplittableRandom random = new SplittableRandom(SEED + round);
            float[] scores = random(random, 7 + BLOCK, Math.pow(10, random.nextInt(4)));
            int from = random.nextInt(3) == 0 ? random.nextInt(BLOCK) : 0,
                    to = random.nextBoolean() ? BLOCK : from + 1 + random.nextInt(BLOCK - from);
            boolean start = random.nextBoolean();
            float[] state = {9, start ? Float.NEGATIVE_INFINITY : (float) (random.nextDouble() * 4 - 2),
                    start ? 0 : (float) random.nextDouble() * 50, 9};
            float[] expected = scores.clone(), actual = scores.clone(), expectedState = state.clone(), actualState = state.clone();
            SCALAR.weigh(expected, 7, from, to, expectedState, 1);
            VECTOR.weigh(actual, 7, from, to, actualState, 1);
            String what = "seed " + SEED + ", round " + round + ", " + from + " to " + to;
            assertBits(expected, actual, what);
            assertBits(expectedState, actualState, what + ", state");
            double max = state[1], sum = 0;
            for (int j = from; j < to; j++) max = Math.max(max, scores[7 + j]);
            for (int j = 0; j < BLOCK; j++) {
                double w = j >= from && j < to ? Math.exp(scores[7 + j] - max) : 0;
                assertEquals(w, expected[7 + j], 1e-6, what);
                sum += w;
            }
            double factor = start ? 0 : Math.exp(state[1] - max);
            assertEquals(factor, expectedState[3], 1e-6, what);
            assertEquals((float) max, expectedState[1], what);
            assertEquals(state[2] * factor + sum, expectedState[2], 1e-4, what);
        }
    }

    /// A score that is not a number makes the sum one that is not a number; infinite ones are treated alike by both classes.
    @Test
    void weighsWhatIsNotFinite() {
        float[] odd = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, Float.MAX_VALUE, -Float.MAX_VALUE,
                Float.MIN_VALUE};
        for (int round = 0; round < 2000; round++) {
            SplittableRandom random = new SplittableRandom(SEED + round);
            float[] scores = random(random, BLOCK, 5);
            boolean nan = false;
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                float x = odd[random.nextInt(odd.length)];
                scores[random.nextInt(BLOCK)] = x;
            }
            for (float x : scores) nan |= Float.isNaN(x);
            float[] state = {random.nextBoolean() ? Float.NEGATIVE_INFINITY : 1, 0.5f, 0}, other = state.clone(), actual = scores.clone();
            SCALAR.weigh(scores, 0, 0, BLOCK, state, 0);
            VECTOR.weigh(actual, 0, 0, BLOCK, other, 0);
            assertBits(scores, actual, "seed " + SEED + ", round " + round);
            assertBits(state, other, "seed " + SEED + ", round " + round + ", state");
            if (nan) assertTrue(Float.isNaN(state[1]), "round " + round);
        }
    }

    @Test
    void accumulates() {
        for (int size : SIZES)
            for (int count = 1; count <= 19; count++) {
                SplittableRandom random = new SplittableRandom(SEED + size * 100 + count);
                float[] values = random(random, size * BLOCK, 2), weights = random(random, count * BLOCK, 1),
                        out = random(random, count * size, 4);
                int stride = 3, first = random.nextInt(count), from = random.nextInt(BLOCK), to = from + random.nextInt(BLOCK - from) + 1;
                float[] state = random(random, count * stride, 1), expected = out.clone(), actual = out.clone();
                SCALAR.accumulate(values, size, weights, first, count, from, to, state, stride, expected);
                VECTOR.accumulate(values, size, weights, first, count, from, to, state, stride, actual);
                String what = "seed " + SEED + ", size " + size + ", queries " + first + " to " + count + ", positions " + from + " to "
                        + to;
                assertBits(expected, actual, what);
                for (int c = 0; c < count; c++)
                    for (int i = 0; i < size; i++) {
                        double sum = out[c * size + i] * (c < first ? 1.0 : state[c * stride + 2]);
                        if (c >= first) for (int j = from; j < to; j++) sum += (double) weights[c * BLOCK + j] * values[j * size + i];
                        assertEquals(sum, expected[c * size + i], 2e-5, what);
                    }
            }
    }

    /// Computing with halves as they are stored gives the bits of the way over floats.
    @Test
    void computesWithHalvesAsStored() {
        for (int size : SIZES)
            for (int count = 1; count <= 11; count++) {
                SplittableRandom random = new SplittableRandom(SEED + size * 100 + count);
                String what = "seed " + SEED + ", size " + size + ", " + count + " queries";
                MemorySegment keys = Arena.ofAuto().allocate(AttentionOps.keyBytes(TensorType.F16, size), 64);
                MemorySegment values = Arena.ofAuto().allocate(AttentionOps.valueBytes(TensorType.F16, size), 64);
                float[] x = random(random, BLOCK * size, 3), queries = random(random, count * size, 3);
                for (int i = 0; i < x.length; i++) if (random.nextInt(4) == 0) x[i] *= (float) Math.pow(2, -random.nextInt(26)); // subnormal and zero
                assertTrue(SCALAR.storeKeys(TensorType.F16, keys, 0, 0, BLOCK, x, 0, size, size));
                assertTrue(SCALAR.storeValues(TensorType.F16, values, 0, 0, BLOCK, x, 0, size, size));
                float[] packed = new float[(count + 7) / 8 * 8 * size], shifted = packed.clone(), floats = new float[BLOCK * size];
                for (int c = 0; c < count; c++) {
                    assertTrue(SCALAR.pack(queries, c * size, size, 1, packed, c));
                    assertTrue(SCALAR.pack(queries, c * size, size, AttentionOps.HALF_FACTOR, shifted, c));
                }
                int first = random.nextInt(count), from = random.nextInt(BLOCK), to = from + 1 + random.nextInt(BLOCK - from);
                float[] state = random(random, 3 * count, 1), weights = random(random, count * BLOCK, 1),
                        sums = random(random, count * size, 2);
                float[] expected = new float[(count + 7) / 8 * 8 * BLOCK], expectedSums = sums.clone();
                SCALAR.loadKeys(TensorType.F16, keys, 0, floats, size);
                SCALAR.scores(floats, packed, size, first, count, 0.3f, expected);
                SCALAR.loadValues(TensorType.F16, values, 0, BLOCK, floats, size);
                SCALAR.accumulate(floats, size, weights, first, count, from, to, state, 3, expectedSums);
                for (AttentionOps ops : new AttentionOps[] {SCALAR, VECTOR}) {
                    float[] actual = new float[expected.length], actualSums = sums.clone();
                    ops.storedScores(keys, 0, shifted, size, first, count, 0.3f, actual);
                    assertBits(Arrays.copyOfRange(expected, first * BLOCK, count * BLOCK),
                            Arrays.copyOfRange(actual, first * BLOCK, count * BLOCK), what);
                    if (ops == VECTOR && !ops.readsStored(TensorType.F16, size, size, 1)) continue;
                    ops.storedSums(values, 0, size, weights.clone(), first, count, from, to, state, 3, actualSums);
                    assertBits(expectedSums, actualSums, what + ", sums");
                }
            }
        assertTrue(VECTOR.readsStored(TensorType.F16, 128, 128, 1));
    }

    @Test
    void saysWhenSomethingIsNotFinite() {
        MemorySegment page = Arena.ofAuto().allocate(1024, 64);
        for (float odd : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, 70_000})
            for (int at = 0; at < 10; at++) {
                float[] x = new float[10];
                x[at] = odd;
                assertEquals(false, SCALAR.storeKeys(TensorType.F16, page, 0, 3, 2, x, 0, 5, 5));
                assertEquals(false, SCALAR.storeValues(TensorType.F16, page, 0, 3, 2, x, 0, 5, 5));
                if (odd != 70_000) assertEquals(false, SCALAR.pack(x, 0, 10, 1, new float[80], 0));
                assertEquals(false, SCALAR.pack(x, 0, 10, AttentionOps.HALF_FACTOR, new float[80], 0));
                assertTrue(SCALAR.storeKeys(TensorType.F32, page, 0, 3, 2, x, 0, 2, 2));
                assertTrue(SCALAR.storeValues(TensorType.F32, page, 0, 3, 2, x, 0, 2, 2));
            }
    }

    @Test
    void mergesAndDivides() {
        float[] out = {7, 1, 2, 7}, x = {9, 9, 10, 20};
        SCALAR.merge(out, 1, 0.5f, x, 2, 0.25f, 2);
        assertBits(new float[] {7, 3, 6, 7}, out, "merged");
        SCALAR.divide(out, 1, 3, x, 0, 2);
        assertBits(new float[] {1, 2, 10, 20}, x, "divided");
    }
}
