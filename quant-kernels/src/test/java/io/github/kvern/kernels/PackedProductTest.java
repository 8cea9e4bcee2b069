package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Packed weights: any number of columns gives the bits of the scalar twin, for any shape, width and number of threads.
final class PackedProductTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_260_103);
    private static final int[] COLUMNS = {1, 1, 2, 3, 4, 5, 6, 7, 8, 11, 21, 1, 40};
    private static final Workers[] TEAMS = {new Workers(1), new Workers(2), new Workers(3)};

    @BeforeAll
    static void runsWhatItShould() {
        String bits = System.getProperty("kvern.test.bits");
        if (bits != null) assertEquals("vector" + bits, Kernels.best().name());
        else assertNotEquals("scalar", Kernels.best().name(), Kernels.best().reason());
    }

    @AfterAll
    static void close() {
        for (Workers w : TEAMS) w.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void equalsTheTwin(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        for (int round = 0; round < COLUMNS.length; round++) {
            int experts = round % 4 == 3 ? 3 : 1, rows = 1 + random.nextInt(150);
            int k = type.blockLength() * (1 + random.nextInt(1 + 1500 / type.blockLength())), n = COLUMNS[round];
            MemorySegment weights = Blocks.random(type, experts * rows, k, random);
            float[] x = Blocks.gaussian(n * k, random);
            for (int i = 0; i < x.length; i++) if (random.nextInt(50) == 0) x[i] *= 12;
            if (round == 5) Arrays.fill(x, 0, k, 0);
            if (round == 6) extremes(x, random);
            int expert = random.nextInt(experts), at = round % 3, stride = rows + round % 2;
            for (Workers team : TEAMS) {
                float[] out = multiply(type, weights, rows, k, experts, expert, x, n, at, stride, team);
                for (int i = 0; i < n * rows; i++) {
                    int row = i % rows, column = i / rows;
                    float expected = PackedTwin.dot(type, weights, (expert * rows + row) * type.rowBytes(k), x, column * k, k);
                    float found = out[at + column * stride + row];
                    assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(found), () -> type + " " + rows + "x" + k + "x" + n
                            + ", row " + row + ", column " + column + ", " + team.threads() + " threads, seed " + SEED + ", expected "
                            + expected + ", found " + found);
                }
            }
        }
    }

    /// What computes while the vector code is not compiled has the same bits.
    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void plainLoopsEqualTheTwin(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + 200 + type.id());
        int rows = 70, experts = 2, k = Math.max(type.blockLength(), 512);
        MemorySegment weights = Blocks.random(type, experts * rows, k, random);
        List<Exercise> exercises;
        try (Arena arena = Arena.ofShared()) {
            Matrix w = Kernels.best().matrix(type, weights, rows, k, experts, Precision.FAST).packed(arena, TEAMS[1]);
            exercises = w.kernel().exercises(w);
            for (Exercise e : exercises) assertTrue(e.run().getAsLong() > 0, e.label());
        }
        for (Exercise e : exercises) {
            e.warmth().stop(); // another test may have warmed it
            assertTrue(e.warmth().begin(0));
        }
        try {
            for (int n : COLUMNS) {
                float[] x = Blocks.gaussian(n * k, random);
                float[] out = multiply(type, weights, rows, k, experts, 1, x, n, 0, rows, TEAMS[1]);
                for (int i = 0; i < out.length; i++)
                    assertEquals(PackedTwin.dot(type, weights, (rows + i % rows) * type.rowBytes(k), x, i / rows * k, k), out[i],
                            type + ", " + n + " columns, row " + i % rows + ", column " + i / rows + ", seed " + SEED);
            }
        } finally {
            for (Exercise e : exercises) e.warmth().stop();
        }
    }

    /// All values as large as 8 bits can be, of one sign in whole runs: the sums that just fit.
    private static void extremes(float[] x, SplittableRandom random) {
        for (int i = 0; i < x.length; i += 32) Arrays.fill(x, i, i + 32, random.nextBoolean() ? 1 : -1);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void largestSumsFit(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int fill : new int[] {0, 0xff, 0x7f, 0x80}) {
            byte[] bytes = new byte[Math.toIntExact(40 * type.rowBytes(512))];
            random.nextBytes(bytes);
            for (int at = 0; at < bytes.length; at += type.blockBytes()) {
                Arrays.fill(bytes, at, at + type.blockBytes(), (byte) fill);
                for (int i = 0; i < 4; i++) if (type != TensorType.Q6_K && i < halves(type)) bytes[at + i] = (byte) (i % 2 == 0 ? 0 : 0x3c);
                if (type == TensorType.Q6_K) bytes[at + 209] = 0x3c;
            }
            MemorySegment weights = MemorySegment.ofArray(bytes);
            for (int n : new int[] {1, 4, 5, 10}) {
                for (int ninth : new int[] {127, 7, 8}) {
                    float[] x = new float[n * 512];
                    extremes(x, random);
                    if (ninth < 127) edges(x, ninth);
                    float[] out = multiply(type, weights, 40, 512, 1, 0, x, n, 0, 40, TEAMS[1]);
                    for (int i = 0; i < out.length; i++)
                        assertEquals(PackedTwin.dot(type, weights, i % 40 * type.rowBytes(512), x, i / 40 * 512, 512), out[i],
                                "filled with " + fill + ", " + n + " columns, ninth value " + ninth);
                }
            }
        }
    }

    /// Of every 16 values eight at the largest, one at `ninth` 127ths of it: with 7 wide runs of 16 just fit, with 8 they do not.
    private static void edges(float[] x, int ninth) {
        for (int i = 0; i < x.length; i++) {
            if (i % 16 == 8) x[i] *= ninth / 127f;
            else if (i % 16 > 8) x[i] = 0;
        }
    }

    private static int halves(TensorType type) {
        return type == TensorType.Q4_K || type == TensorType.Q5_K ? 4 : 2;
    }

    /// The bound is that of 8-bit activations: half a step of each block's largest value, as independent errors, times five.
    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void isNearTheExactResult(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED - type.id());
        int k = 512, rows = 40;
        MemorySegment weights = Blocks.random(type, rows, k, random);
        float[] row = new float[k];
        for (int n : new int[] {1, 5}) {
            float[] x = Blocks.gaussian(n * k, random);
            float[] out = multiply(type, weights, rows, k, 1, 0, x, n, 0, rows, TEAMS[1]);
            for (int i = 0; i < out.length; i++) {
                Decoders.decode(type, weights, i % rows * type.rowBytes(k), row, 0, k);
                double exact = 0, squares = 0;
                float largest = 0;
                for (int j = 0; j < k; j++) {
                    float v = x[i / rows * k + j];
                    exact += (double) row[j] * v;
                    squares += (double) row[j] * row[j];
                    largest = Math.max(largest, Math.abs(v));
                }
                double bound = 5 * largest / 127 / Math.sqrt(12) * Math.sqrt(squares);
                assertTrue(Math.abs(out[i] - exact) <= bound,
                        type + " with " + n + " columns, seed " + SEED + ": " + out[i] + " is not near " + exact);
            }
        }
    }

    @Test
    void staysMappedWhereItMust() {
        SplittableRandom random = new SplittableRandom(SEED);
        MemorySegment weights = Blocks.random(TensorType.Q4_K, 3, 256, random);
        try (Arena arena = Arena.ofShared()) {
            Matrix exact = Kernels.best().matrix(TensorType.Q4_K, weights, 3, 256, 1, Precision.EXACT);
            assertSame(exact, exact.packed(arena, TEAMS[0]));
            assertEquals(0, exact.packedBytes());
            Matrix none = Kernels.best().matrix(TensorType.IQ2_XXS, Blocks.random(TensorType.IQ2_XXS, 3, 256, random), 3, 256, 1,
                    Precision.FAST);
            assertSame(none, none.packed(arena, TEAMS[0]));
            Matrix fine = Kernels.best().matrix(TensorType.Q4_K, weights, 3, 256, 1, Precision.FAST), packed = fine.packed(arena, TEAMS[0]);
            assertEquals(Layout.PACKED, packed.layout());
            assertEquals(74 * 64, fine.packedBytes());
            assertSame(packed, packed.packed(arena, TEAMS[0]));
            weights.set(ValueLayout.JAVA_BYTE, 144 + 1, (byte) 0x7c); // an infinite scale in row 1
            assertSame(fine, fine.packed(arena, TEAMS[0]));
            assertEquals(Layout.MAPPED, fine.layout());
        }
    }

    private static float[] multiply(TensorType type, MemorySegment weights, int rows, int k, int experts, int expert, float[] x, int n,
            int at,
            int stride, Workers team) {
        try (Arena arena = Arena.ofShared()) {
            Matrix w = Kernels.best().matrix(type, weights, rows, k, experts, Precision.FAST).packed(arena, team);
            assertEquals(Layout.PACKED, w.layout());
            Activation a = new Activation(k, n);
            a.reset(n + 1); // in two segments, so that the second one's start is no multiple of a group
            System.arraycopy(x, 0, a.values(), 0, k);
            System.arraycopy(x, 0, a.values(), k, x.length);
            a.segment(new int[] {0, 1, n + 1}, 2);
            float[] out = new float[at + n * stride];
            Region region = new Region(team);
            region.multiply(w, expert, a, 1, out, at, stride);
            region.run();
            return out;
        }
    }
}
