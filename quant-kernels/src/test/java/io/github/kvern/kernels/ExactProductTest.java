package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import io.github.kvern.kernels.scalar.ScalarDot;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Exact products of every type equal the scalar dot product bit for bit, at the width this JVM has and for any number of threads.
final class ExactProductTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_260_101);
    private static final int[] COLUMNS = {1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 40};
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
    @MethodSource("weights")
    void equalsTheScalarDotProduct(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        for (int n : COLUMNS) {
            int rows = 1 + random.nextInt(70);
            int blocks = 1 + random.nextInt(Math.max(2, 1200 / type.blockLength()));
            check(type, Blocks.random(type, rows, blocks * type.blockLength(), random), rows, blocks * type.blockLength(), n, random);
        }
        int one = type.blockLength();
        check(type, Blocks.random(type, 33, one, random), 33, one, 3, random);
        check(type, Blocks.random(type, 32, 512, random), 32, 512, 4, random);
        check(type, Blocks.random(type, 1, 768, random), 1, 768, 1, random);
    }

    @ParameterizedTest
    @MethodSource("weights")
    void equalsTheScalarDotProductAtTheEdges(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        for (int i = 0; i < 6; i++) {
            int columns = (1 + i) * (type.blockLength() == 1 ? 61 : type.blockLength());
            check(type, Blocks.edges(type, 40, columns, random), 40, columns, 1 + 2 * i, random);
        }
    }

    private static void check(TensorType type, MemorySegment weights, int rows, int columns, int n, SplittableRandom random) {
        Matrix w = Kernels.best().matrix(type, weights, rows, columns, 1, Precision.EXACT);
        Activation x = new Activation(columns, 1);
        x.reset(n);
        System.arraycopy(Blocks.gaussian(n * columns, random), 0, x.values(), 0, n * columns);
        int stride = rows + 3;
        for (Workers team : TEAMS) {
            float[] out = new float[5 + n * stride];
            Arrays.fill(out, 777);
            Region region = new Region(team);
            region.multiply(w, x, out, 5, stride);
            region.run();
            for (int c = 0; c < n; c++) {
                for (int r = 0; r < rows; r++) {
                    float expected = ScalarDot.dot(type, weights, r * w.rowBytes(), x.values(), c * columns, columns);
                    assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(out[5 + c * stride + r]),
                            type + " " + rows + "x" + columns + "x" + n + ", row " + r + ", column " + c + ", " + team.threads()
                                    + " threads, seed " + SEED
                                    + ", expected " + expected + ", found " + out[5 + c * stride + r]);
                }
                for (int r = rows; r < stride && 5 + c * stride + r < out.length; r++)
                    assertEquals(777, out[5 + c * stride + r], "written behind a column");
            }
        }
    }
}
