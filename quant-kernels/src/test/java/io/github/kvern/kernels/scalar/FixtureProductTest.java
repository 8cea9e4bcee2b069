package io.github.kvern.kernels.scalar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Precision;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Products through the door against known answers, for every type that has some: exact ones within rounding, fast ones within what
/// rounding the activations to 8 bits can do at most.
final class FixtureProductTest {
    private static final int N = Fixture.COLUMNS;

    static Stream<Fixture> fixtures() {
        return Fixture.all().stream().filter(f -> f.dot().isPresent());
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void areTheKnownAnswers(Fixture f) {
        float[] x = Fixture.activation();
        try (Workers workers = new Workers(2); Arena arena = Arena.ofShared()) {
            Matrix exact = Kernels.best().matrix(f.type(), f.quantised(), Fixture.ROWS, N, 1, Precision.EXACT);
            Matrix fast = Kernels.best().matrix(f.type(), f.quantised(), Fixture.ROWS, N, 1, Precision.FAST);
            for (int columns = 1; columns <= 9; columns += 4) {
                check(f, x, exact, columns, workers, 0);
                check(f, x, fast, columns, workers, 0.5);
                check(f, x, fast.packed(arena, workers), columns, workers, 0.5);
            }
        }
    }

    /// @param steps of an 8-bit activation, by which each may be wrong
    private static void check(Fixture f, float[] x, Matrix w, int columns, Workers workers, double steps) {
        Activation a = new Activation(N, columns);
        a.reset(columns);
        for (int c = 0; c < columns; c++) System.arraycopy(x, 0, a.values(), c * N, N);
        float[] out = new float[columns * Fixture.ROWS];
        Region region = new Region(workers);
        region.multiply(w, a, out, 0, Fixture.ROWS);
        region.run();
        for (int i = 0; i < out.length; i++) {
            int row = i % Fixture.ROWS;
            double size = 0, bound = 0;
            for (int k = 0; k < N; k++) {
                double weight = Math.abs(f.decoded()[row * N + k]);
                size += weight * Math.abs(x[k]);
                bound += weight * step(x, k) * steps;
            }
            double expected = f.dot().orElseThrow().exactFloat()[row];
            String what = f.type() + ", " + w.layout() + ", row " + row + " of column " + i / Fixture.ROWS + " among " + columns;
            assertTrue(Math.abs(out[i] - expected) <= 1e-5 * size + bound, () -> what + ": expected " + expected + ", found " + out[row]);
            assertEquals(out[row], out[i], steps == 0 ? 0 : 2 * bound + 2e-5 * size, what + ": columns are alike");
        }
    }

    /// What one unit of an 8-bit activation is worth, where 256 share a scale.
    private static double step(float[] x, int k) {
        float largest = 0;
        for (int i = k / 256 * 256; i < k / 256 * 256 + 256; i++) largest = Math.max(largest, Math.abs(x[i]));
        return largest / 127;
    }
}
