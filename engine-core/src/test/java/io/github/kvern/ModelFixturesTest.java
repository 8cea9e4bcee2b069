package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.testdata.Json;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every tiny model against the reference's answers, in both precisions. The tolerances are those of the fixtures' README.
class ModelFixturesTest {
    static Stream<Fixture> models() {
        return Architectures.names().stream().flatMap(a -> Fixture.of(a).stream());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void exactLogits(Fixture f) throws IOException {
        try (Model model = Model.load(f.path(), ModelOptions.defaults().precision(Precision.EXACT))) {
            float[][] expected = f.exactLogits(), found = model.score(f.tokens(), f.positions());
            // the reference looks GELU up in a table of half floats: a float64 pass with the table is at most 5.8e-4 from its logits, one
            // that computes GELU as here 2.2e-3
            float tolerance = f.json().get("arch").equals("gemma3") ? 4e-3f : 2e-3f;
            for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], found[i], tolerance, "position " + f.positions()[i]);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void exactGreedy(Fixture f) throws IOException {
        int[] expected = f.exactGreedy();
        try (Model model = Model.load(f.path(), ModelOptions.defaults().precision(Precision.EXACT));
                Generator generator = model.generator()) {
            Sampling sampling = Sampling.greedy().maxTokens(expected.length);
            boolean meetsEnd = Arrays.stream(expected).anyMatch(model.tokenizer()::isEndOfGeneration);
            if (meetsEnd) { // the reference went on behind the end; an answer of ours does not
                int end = 0;
                while (!model.tokenizer().isEndOfGeneration(expected[end])) end++;
                expected = Arrays.copyOf(expected, end);
            }
            int[] prompt = f.tokens();
            try (Generation g = generator.generate(Prompt.tokens(prompt), sampling)) {
                int[] found = new int[expected.length];
                int n = 0;
                for (Token t : g) found[n++] = t.id();
                assertEquals(expected.length, n);
                assertArrayEquals(expected, found);
                assertEquals(meetsEnd ? StopReason.END_OF_TEXT : StopReason.MAX_TOKENS, g.stopReason());
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void fastLogits(Fixture f) throws IOException {
        for (WeightStorage weights : WeightStorage.values()) fastLogits(f, weights);
    }

    private static void fastLogits(Fixture f, WeightStorage weights) throws IOException {
        try (Model model = Model.load(f.path(), ModelOptions.defaults().weights(weights))) {
            float[][] expected = f.exactLogits(), found = model.score(f.tokens(), f.positions());
            double[] rms = new double[expected.length];
            for (int i = 0; i < rms.length; i++) rms[i] = rms(expected[i], found[i]);
            double[] sorted = rms.clone();
            Arrays.sort(sorted);
            double median = (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2, limit = 1.5 * f.medianRms() + 0.01;
            assertTrue(median <= limit, () -> weights + ": median rms " + median + ", at most " + limit);
            long beyond = Arrays.stream(rms).filter(r -> !(r <= 3 * limit)).count();
            assertTrue(beyond <= (f.hasExperts() ? 5 : 0), () -> beyond + " positions beyond " + 3 * limit + ": " + Arrays.toString(rms));
        }
    }

    private static double rms(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        return Math.sqrt(sum / a.length);
    }

    /// Two sets of rope divisors: which one is used follows from the model's context length, here one that the fixture's reference had.
    @Test
    void shortRopeDivisors() throws IOException {
        Fixture f = Fixture.of("phi3").stream().filter(x -> x.model().equals("phi3-long")).findFirst().orElseThrow();
        float[][] expected = f.floats((String) f.answers().get("short_exact"), f.positions().length);
        for (String length : List.of("512", "256")) { // the original one, and less
            ModelOptions options = ModelOptions.defaults().precision(Precision.EXACT).override("phi3.context_length=int:" + length);
            try (Model model = Model.load(f.path(), options)) {
                float[][] found = model.score(f.tokens(), f.positions());
                for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], found[i], 2e-3f, "position " + f.positions()[i]);
            }
        }
    }

    /// 8,320 tokens: the scale of layers without rope changes at position 8191, the chunk of the others at 8192.
    @Test
    void longScout() throws IOException {
        Fixture f = Fixture.of("llama4").stream().filter(x -> x.model().equals("llama4-scout") && x.type().equals("Q8_0")).findFirst()
                .orElse(null);
        Assumptions.assumeTrue(f != null && TestData.shared().isPresent(), "the long case is in the wide set only");
        Map<String, Object> spec = Json.object(f.json().get("long"));
        int[] ids = new int[8320];
        Path tokens = f.folder().resolve((String) spec.get("tokens_file"));
        ByteBuffer.wrap(Files.readAllBytes(tokens)).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(ids);
        int[] positions = Fixture.ints(spec.get("logits_positions"));
        float[][] expected = f.floats((String) Json.object(f.answers().get("long_exact")).get("logits"), positions.length);
        try (Model model = Model.load(f.path(), ModelOptions.defaults().precision(Precision.EXACT))) {
            float[][] found = model.score(ids, positions);
            for (int i = 0; i < positions.length; i++) assertArrayEquals(expected[i], found[i], 5e-3f, "position " + positions[i]);
        }
    }

    /// A model in three files is the same model.
    @Test
    void split() throws IOException {
        Fixture f = Architectures.names().stream().flatMap(a -> Fixture.of(a).stream()).filter(x -> x.answers().containsKey("split"))
                .findFirst().orElse(null);
        Assumptions.assumeTrue(f != null && TestData.shared().isPresent(), "the parts are in the wide set only");
        for (Object part : Json.list(f.answers().get("split"))) {
            try (Model whole = Model.load(f.path(), ModelOptions.defaults());
                    Model parts = Model.load(f.folder().resolve((String) part), ModelOptions.defaults())) {
                assertSame(whole.score(f.tokens(), f.positions()), parts.score(f.tokens(), f.positions()), "opened by " + part);
            }
        }
    }

    /// The same bits from run to run, for any number of threads, and with exact precision for any micro-batch.
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void sameBits(Fixture f) throws IOException {
        for (Precision precision : Precision.values()) {
            for (WeightStorage weights : List.of(WeightStorage.MAPPED, WeightStorage.PACKED)) {
                ModelOptions options = ModelOptions.defaults().precision(precision).weights(weights);
                float[][] first = score(f, options.threads(1));
                assertSame(first, score(f, options.threads(1)), options + ", a second run");
                for (int threads : List.of(2, 3)) assertSame(first, score(f, options.threads(threads)), options + ", threads " + threads);
                if (precision == Precision.EXACT)
                    for (int batch : List.of(1, 7))
                        assertSame(first, score(f, options.threads(2).microBatch(batch)), "micro-batch " + batch);
            }
        }
    }

    private static float[][] score(Fixture f, ModelOptions options) throws IOException {
        try (Model model = Model.load(f.path(), options)) {
            return model.score(f.tokens(), f.positions());
        }
    }

    private static void assertSame(float[][] expected, float[][] found, String what) {
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < expected[i].length; j++) {
                if (Float.floatToRawIntBits(expected[i][j]) != Float.floatToRawIntBits(found[i][j]))
                    throw new AssertionError(what + ": logit " + j + " of row " + i + " is " + found[i][j] + ", was " + expected[i][j]);
            }
        }
    }
}
