package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// With [ModelOptions#reproducible] logits have the same bits for any micro-batch, whatever else is in the step, and for prompts
/// against token by token, with mapped and with packed weights.
class ReproducibleTest {
    private static final long SEED = 20_251_121;
    private static final int MANY = 600;
    private static final int SOME = 100;

    /// A model, and how its weights are held.
    record Held(Fixture fixture, WeightStorage weights) {
        ModelOptions options(int batch) {
            return ModelOptions.defaults().reproducible(true).microBatch(batch).weights(weights);
        }

        Model load(int batch) throws IOException {
            Model model = Model.load(fixture.path(), options(batch));
            assertEquals(weights == WeightStorage.PACKED ? WeightsInfo.Kind.PACKED : WeightsInfo.Kind.MAPPED,
                    model.info().weights().kind());
            return model;
        }

        @Override
        public String toString() {
            return fixture + " " + weights;
        }
    }

    static Stream<Held> models() {
        return held(Architectures.names().stream().flatMap(a -> Fixture.of(a).stream()));
    }

    /// One file of every model reads 600 tokens, the others, which are there for their types, 100.
    static Stream<Held> longOnes() {
        Set<String> seen = new HashSet<>();
        return held(Architectures.names().stream().flatMap(a -> Fixture.of(a).stream()).filter(f -> seen.add(f.model())));
    }

    private static Stream<Held> held(Stream<Fixture> fixtures) {
        return fixtures.flatMap(f -> hasPackableWeights(f) ? Stream.of(WeightStorage.MAPPED, WeightStorage.PACKED).map(w -> new Held(f, w))
                : Stream.of(new Held(f, WeightStorage.MAPPED)));
    }

    private static boolean hasPackableWeights(Fixture f) {
        if (Kernels.best().name().equals("scalar")) return false;
        Set<TensorType> packable = EnumSet.of(TensorType.Q4_0, TensorType.Q8_0, TensorType.Q4_K, TensorType.Q5_K, TensorType.Q6_K);
        try (GgufFile file = GgufFile.open(f.path())) {
            return file.tensors().stream().anyMatch(t -> t.name().startsWith("blk.") && packable.contains(t.type()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("longOnes")
    void manyTokens(Held f) throws IOException {
        sameForEveryMicroBatch(f, MANY);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void everyType(Held f) throws IOException {
        sameForEveryMicroBatch(f, SOME);
    }

    /// A micro-batch of one row is what an answer's steps are: its logits are those of token by token.
    private static void sameForEveryMicroBatch(Held f, int length) throws IOException {
        int[] all = IntStream.range(0, length).toArray();
        int[][] expected = {};
        int[] ids = {};
        for (int batch : List.of(512, 64, 7, 1)) {
            try (Model model = f.load(batch)) {
                if (ids.length == 0) ids = ids(model, length, SEED);
                int[][] found = bits(model, ids, all);
                if (expected.length == 0) expected = found;
                for (int i = 0; i < length; i++) {
                    assertEquals(-1, Arrays.mismatch(expected[i], found[i]),
                            f + ", seed " + SEED + ", micro-batches of " + batch + " against 512, position " + i
                                    + ": first different logit");
                }
            }
        }
    }

    /// Four texts at once, read in pieces by turns, each as when it is alone; and an answer whose prompt was partly in the cache.
    @ParameterizedTest(name = "{0}")
    @MethodSource("longOnes")
    void othersInTheStep(Held f) throws IOException, InterruptedException, ExecutionException {
        try (Model model = f.load(16); ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<int[]> texts = new ArrayList<>();
            List<int[][]> alone = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                texts.add(ids(model, 40 + 17 * i, SEED + i));
                alone.add(bits(model, texts.get(i), IntStream.range(0, texts.get(i).length).toArray()));
            }
            List<Future<int[][]>> together = new ArrayList<>();
            for (int[] text : texts) together.add(threads.submit(() -> bits(model, text, IntStream.range(0, text.length).toArray())));
            for (int i = 0; i < texts.size(); i++) {
                int[][] found = together.get(i).get();
                for (int p = 0; p < found.length; p++)
                    assertEquals(-1, Arrays.mismatch(alone.get(i)[p], found[p]), f + ", seed " + (SEED + i) + ", position " + p);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("longOnes")
    void answersFromCache(Held f) throws IOException {
        Sampling sampling = Sampling.defaults().temperature(1.5f).seed(SEED).maxTokens(24).ignoreEndOfText(true).logProbabilities(true);
        try (Model model = f.load(64); Generator fresh = model.generator(); Generator used = model.generator()) {
            int[] prompt = ids(model, 150, SEED);
            List<Token> expected = answer(fresh, prompt, sampling);
            int[] beginning = Arrays.copyOf(prompt, 97);
            answer(used, beginning, sampling);
            assertEquals(expected, answer(used, prompt, sampling), f + ", seed " + SEED);
            try (Generation last = used.generate(Prompt.tokens(prompt), sampling)) {
                for (Token token : last) if (token.id() < 0) throw new AssertionError(token);
                assertTrue(last.stats().reusedTokens() > 0, "nothing was reused");
            }
        }
    }

    private static List<Token> answer(Generator generator, int[] prompt, Sampling sampling) {
        List<Token> tokens = new ArrayList<>();
        try (Generation answer = generator.generate(Prompt.tokens(prompt), sampling)) {
            answer.forEach(tokens::add);
        }
        assertEquals(sampling.maxTokens(), tokens.size());
        return tokens;
    }

    private static int[] ids(Model model, int count, long seed) {
        return new Random(seed).ints(count, 0, model.info().vocabulary()).toArray();
    }

    /// Raw bits: `assertArrayEquals` of floats takes -0 for another number, and NaN for the same.
    private static int[][] bits(Model model, int[] ids, int[] positions) {
        int[][] all = new int[positions.length][];
        int[] next = new int[1];
        model.score(ids, positions, (position, logits) -> {
            int[] bits = new int[logits.length];
            for (int i = 0; i < bits.length; i++) bits[i] = Float.floatToRawIntBits(logits[i]);
            all[next[0]++] = bits;
        });
        return all;
    }
}
