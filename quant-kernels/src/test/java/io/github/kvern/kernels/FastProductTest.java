package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Fast products: each of few columns equals the scalar twin bit for bit; any number is near the exact result.
final class FastProductTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_260_102);
    private static final Workers[] TEAMS = {new Workers(1), new Workers(2), new Workers(3)};

    static Stream<TensorType> weights() {
        return Arrays.stream(TensorType.values()).filter(Decoders::isWeight);
    }

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
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void eachOfFewColumnsEqualsTheTwin(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        for (int round = 0; round < 24; round++) {
            int rows = 1 + random.nextInt(70);
            int columns = columns(type, round, random);
            MemorySegment weights = round % 3 == 2 ? Blocks.edges(type, rows, columns, random) : Blocks.random(type, rows, columns, random);
            int n = 1 + round % most(type);
            float[] x = Blocks.gaussian(n * columns, random);
            for (int i = 0; i < x.length; i++) if (random.nextInt(50) == 0) x[i] *= 12;
            if (round == 5) Arrays.fill(x, 0);
            for (Workers team : TEAMS) {
                float[] out = multiply(type, weights, rows, columns, x, n, team);
                for (int i = 0; i < out.length; i++) {
                    int row = i % rows, column = i / rows;
                    float expected = FastTwin.dot(type, weights, row * type.rowBytes(columns), x, column * columns, columns);
                    // beyond the largest float the order of a sum decides whether it is infinite or no number
                    if (!Float.isFinite(expected) && !Float.isFinite(out[i])) continue;
                    assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(out[i]),
                            () -> type + " " + rows + "x" + columns + "x" + n + ", row " + row
                                    + ", column " + column + ", " + team.threads() + " threads, seed " + SEED + ", expected " + expected);
                }
            }
        }
    }

    /// What computes while the vector code is not compiled has its bits, also at the edges.
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void plainLoopsHaveTheSameBits(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + 100 + type.id());
        for (int round = 0; round < 12; round++) {
            int rows = 35, n = 1 + round;
            int columns = columns(type, round, random);
            MemorySegment weights = round % 3 == 2 ? Blocks.edges(type, rows, columns, random) : Blocks.random(type, rows, columns, random);
            float[] x = Blocks.gaussian(n * columns, random);
            float[] vectors = multiply(type, weights, rows, columns, x, n, TEAMS[1]);
            Matrix w = Kernels.best().matrix(type, weights, rows, columns, 1, Precision.FAST);
            List<Exercise> exercises = w.kernel().exercises(w);
            for (Exercise e : exercises) {
                e.warmth().stop(); // another test may have warmed it
                assertTrue(e.warmth().begin(0));
            }
            float[] plain = multiply(type, weights, rows, columns, x, n, TEAMS[1]);
            for (Exercise e : exercises) {
                assertTrue(e.warmth().isCold());
                assertTrue(e.run().getAsLong() > 0, e.label());
                e.warmth().stop();
                assertFalse(e.warmth().isCold());
            }
            assertArrayEquals(vectors, plain, type + " " + rows + "x" + columns + "x" + n + ", seed " + SEED);
        }
    }

    @Test
    void warmsUpInTheBackground() throws InterruptedException {
        SplittableRandom random = new SplittableRandom(SEED);
        List<Matrix> matrices = new ArrayList<>();
        for (TensorType type : List.of(TensorType.Q4_K, TensorType.F32, TensorType.IQ4_NL))
            matrices.add(Kernels.best().matrix(type, Blocks.random(type, 64, 512, random), 64, 512, 1, Precision.FAST));
        try (WarmUp warmUp = Kernels.best().warmUp(matrices, Assertions::fail);
                WarmUp again = Kernels.best().warmUp(matrices, Assertions::fail)) {
            assertTrue(again.await(Duration.ofMinutes(2)), "waits for the other, who is at work on the same");
            assertEquals(List.of(), again.problems());
            for (Matrix w : matrices) for (Exercise e : w.kernel().exercises(w)) assertTrue(e.warmth().isSettled(), e.label());
            assertTrue(warmUp.await(Duration.ofMinutes(2)));
            assertEquals(List.of(), warmUp.problems());
            assertTrue(warmUp.isDone());
        }
        // left off at once, nothing stays cold
        Matrix w = Kernels.best().matrix(TensorType.Q6_K, Blocks.random(TensorType.Q6_K, 64, 512, random), 64, 512, 1, Precision.FAST);
        Kernels.best().warmUp(List.of(w), Assertions::fail).close();
        for (Exercise e : w.kernel().exercises(w)) assertFalse(e.warmth().isCold(), e.label());
    }

    /// The bound is that of 8-bit activations: half a step of each block's largest value, as independent errors, times five.
    @ParameterizedTest
    @MethodSource("weights")
    void isNearTheExactResult(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED - type.id());
        int columns = Math.max(512, type.blockLength());
        int rows = 40;
        MemorySegment weights = Blocks.random(type, rows, columns, random);
        float[] row = new float[columns];
        for (int n : new int[] {1, 2, 3, 4, 5, 8, 9, 20}) {
            float[] x = Blocks.gaussian(n * columns, random);
            float[] out = multiply(type, weights, rows, columns, x, n, TEAMS[1]);
            for (int i = 0; i < out.length; i++) {
                Decoders.decode(type, weights, i % rows * type.rowBytes(columns), row, 0, columns);
                double exact = 0, squares = 0;
                float largest = 0;
                for (int k = 0; k < columns; k++) {
                    float v = x[i / rows * columns + k];
                    exact += (double) row[k] * v;
                    squares += (double) row[k] * row[k];
                    largest = Math.max(largest, Math.abs(v));
                }
                double bound = 5 * largest / 127 / Math.sqrt(12) * Math.sqrt(squares);
                assertTrue(Math.abs(out[i] - exact) <= bound,
                        type + " with " + n + " columns, seed " + SEED + ": " + out[i] + " is not near " + exact);
            }
        }
    }

    private static float[] multiply(TensorType type, MemorySegment weights, int rows, int columns, float[] x, int n, Workers team) {
        Matrix w = Kernels.best().matrix(type, weights, rows, columns, 1, Precision.FAST);
        Activation a = new Activation(columns, n);
        a.reset(n);
        System.arraycopy(x, 0, a.values(), 0, x.length);
        float[] out = new float[n * rows];
        Region region = new Region(team);
        region.multiply(w, a, out, 0, rows);
        region.run();
        return out;
    }

    /// Columns that row kernels take.
    private static int most(TensorType type) {
        return switch (type) {
            case Q8_0, Q4_K, Q5_K, Q6_K -> Kernels.best().name().equals("vector512") ? 8 : 4;
            default -> 4;
        };
    }

    /// Floats: odd lengths, whole runs of 64, and rows so long that four are taken at once.
    private static int columns(TensorType type, int round, SplittableRandom random) {
        if (type.blockLength() > 1) return type.blockLength() * (1 + random.nextInt(1 + 1500 / type.blockLength()));
        return switch (round % 4) {
            case 0 -> 1 + random.nextInt(700);
            case 3 -> 4096 + 32 * random.nextInt(6);
            default -> 64 * (1 + random.nextInt(10));
        };
    }
}
