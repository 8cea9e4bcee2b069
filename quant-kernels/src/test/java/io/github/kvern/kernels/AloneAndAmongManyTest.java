package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// With [Precision#REPRODUCIBLE] a column's result has the same bits alone and among any number of others, at any place among them, for
/// any number of threads, and while kernels are not compiled.
final class AloneAndAmongManyTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_261_121);
    private static final int ROWS = 70;
    private static final int MOST = 512;
    private static final Workers[] TEAMS = {new Workers(1), new Workers(3)};

    @AfterAll
    static void close() {
        for (Workers w : TEAMS) w.close();
    }

    @ParameterizedTest
    @CsvSource({"Q4_0, PACKED", "Q8_0, PACKED", "Q4_K, PACKED", "Q5_K, PACKED", "Q6_K, PACKED",
            "Q4_0, MAPPED", "Q8_0, MAPPED", "Q4_K, MAPPED", "Q5_K, MAPPED", "Q6_K, MAPPED",
            "F32, MAPPED", "F16, MAPPED", "BF16, MAPPED", "IQ4_XS, MAPPED"})
    void theSameBits(TensorType type, Layout layout) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        int k = 512;
        MemorySegment weights = Blocks.random(type, ROWS, k, random);
        float[] x = Blocks.gaussian(MOST * k, random);
        for (int c = 3; c < MOST; c += 11) // as large as 8 bits can be, of one sign for long: what its neighbours must not notice
            for (int i = 0; i < k; i += 64) Arrays.fill(x, c * k + i, c * k + i + 64, random.nextBoolean() ? 1 : -1);
        try (Arena arena = Arena.ofShared()) {
            Matrix mapped = Kernels.best().matrix(type, weights, ROWS, k, 1, Precision.REPRODUCIBLE);
            Matrix w = layout == Layout.PACKED ? mapped.packed(arena, TEAMS[1]) : mapped;
            assertEquals(layout, w.layout());
            float[] alone = new float[MOST * ROWS];
            for (int c = 0; c < MOST; c++) System.arraycopy(multiply(w, x, c, 1, TEAMS[0]), 0, alone, c * ROWS, ROWS);
            for (int n : new int[] {2, 3, 4, 5, 6, 7, 8, 9, 64}) same(w, x, alone, (MOST - n) / 2, n, "compiled or not");
            same(w, x, alone, 0, MOST, "compiled or not");
            List<Exercise> exercises = w.kernel().exercises(w);
            for (Exercise e : exercises) {
                e.warmth().stop(); // another test may have warmed it
                assertTrue(e.warmth().begin(0));
            }
            try {
                for (int n : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 64}) same(w, x, alone, MOST - n, n, "in plain loops");
            } finally {
                for (Exercise e : exercises) e.warmth().stop();
            }
        }
    }

    private static void same(Matrix w, float[] x, float[] alone, int first, int n, String how) {
        for (Workers team : TEAMS) {
            float[] found = multiply(w, x, first, n, team);
            int at = mismatch(alone, first * ROWS, found);
            assertEquals(-1, at, () -> w.type() + ", " + w.layout() + ", " + how + ": " + n + " columns from " + first + " on, "
                    + team.threads() + " threads, seed " + SEED + ": row " + at % ROWS + " of column " + (first + at / ROWS) + " differs");
        }
    }

    private static int mismatch(float[] all, int from, float[] found) {
        for (int i = 0; i < found.length; i++)
            if (Float.floatToRawIntBits(all[from + i]) != Float.floatToRawIntBits(found[i])) return i;
        return -1;
    }

    private static float[] multiply(Matrix w, float[] x, int first, int n, Workers team) {
        Activation a = new Activation(w.columns(), n);
        a.reset(n);
        System.arraycopy(x, first * w.columns(), a.values(), 0, n * w.columns());
        float[] out = new float[n * ROWS];
        Arrays.fill(out, Float.NaN);
        Region region = new Region(team);
        region.multiply(w, 0, a, 0, out, 0, ROWS);
        region.run();
        return out;
    }
}
