package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.run.ExpertPager;
import io.github.kvern.gguf.MemoryBudgetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is known of a model's experts, who asks for their pages, and which are locked.
class ModelExpertsTest {
    private static final int TOKENS = 30;

    private static float[][] logits(Model model) {
        return model.score(Shipped.prompt(model, TOKENS), new int[] {3, TOKENS - 1});
    }

    private static Model load(String manner, WeightStorage weights) throws IOException {
        return load(Shipped.path(), manner, weights);
    }

    private static Model load(Path path, String manner, WeightStorage weights) throws IOException {
        String before = System.setProperty(ExpertPager.PROPERTY, manner);
        try {
            return Model.load(path, ModelOptions.defaults().threads(2).microBatch(10).weights(weights));
        } finally {
            if (before == null) System.clearProperty(ExpertPager.PROPERTY);
            else System.setProperty(ExpertPager.PROPERTY, before);
        }
    }

    /// Who asks for pages has no influence on results, and is gone with the model.
    @ParameterizedTest
    @ValueSource(strings = {"first", "always"})
    void askingChangesNothingButTheTime(String manner) throws IOException {
        float[][] expected;
        try (Model model = load("never", WeightStorage.MAPPED)) {
            assertTrue(askers().isEmpty());
            expected = logits(model);
        }
        try (Model model = load(manner, WeightStorage.MAPPED)) {
            assertEquals(1, askers().size(), "one that touches pages, without the system's help");
            for (int round = 0; round < 3; round++) {
                float[][] found = logits(model);
                for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], found[i]);
            }
        }
        assertTrue(askers().isEmpty());
    }

    private static Set<Thread> askers() {
        return Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("kvern-pages")).collect(Collectors.toSet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"MAPPED", "PACKED"})
    void countsWhatRouted(String weights) throws IOException {
        try (Model model = load("", WeightStorage.valueOf(weights))) {
            assertTrue(model.experts().stream().allMatch(s -> s.tokens() == 0 && s.uses() == 0 && s.layerSteps() == 0));
            logits(model);
            List<ExpertStats> all = model.experts();
            List<Integer> layers = all.stream().map(ExpertStats::layer).distinct().toList();
            assertTrue(!layers.isEmpty());
            for (int layer : layers) {
                List<ExpertStats> of = all.stream().filter(s -> s.layer() == layer).toList();
                assertEquals(0, of.stream().mapToLong(ExpertStats::tokens).sum() % TOKENS, "every token chooses as many");
                assertTrue(of.stream().mapToLong(ExpertStats::tokens).sum() >= TOKENS);
                for (ExpertStats s : of) {
                    assertEquals(3, s.layerSteps(), "30 tokens in steps of 10");
                    assertTrue(s.repeats() <= s.uses() && s.uses() <= 3 && s.uses() <= s.tokens() && s.repeats() < 3, s.toString());
                    assertTrue(s.bytes() > 0 && s.residentBytes().orElse(0) <= s.bytes(), s.toString());
                    if (s.uses() == 3) assertEquals(2, s.repeats(), s.toString());
                }
            }
            ExpertTrace trace = ExpertTrace.of(model);
            assertEquals(all.size(), trace.experts().size());
            assertEquals(model.info().identity(), trace.identity());
        }
    }

    @Test
    void anAnswerTellsWhatItsExpertsDid() throws IOException {
        try (Model model = load("always", WeightStorage.MAPPED); Generator generator = model.generator()) {
            Stats.Experts first = answer(model, generator, 1);
            long layers = model.experts().stream().map(ExpertStats::layer).distinct().count();
            assertEquals(0, first.tokens() % (layers * (TOKENS + 3)), "a prompt and three tokens behind it are computed, the last is not");
            answer(model, generator, 2);
        }
        Path dense = Fixture.of("llama").getFirst().path();
        try (Model model = Model.load(dense, ModelOptions.defaults().threads(1)); Generator generator = model.generator()) {
            Generation answer = generator.generate(Prompt.tokens(1, 2), Sampling.greedy().maxTokens(1));
            answer.stopReason();
            assertTrue(answer.stats().experts().isEmpty());
        }
    }

    /// What an answer says of experts, which is what the model counted meanwhile.
    private static Stats.Experts answer(Model model, Generator generator, int seed) {
        long tokens = sum(model, ExpertStats::tokens), uses = sum(model, ExpertStats::uses);
        long bytes = sum(model, s -> s.uses() * s.bytes());
        int[] prompt = Shipped.prompt(model, TOKENS);
        prompt[0] += seed; // nothing is reused
        Generation answer = generator.generate(Prompt.tokens(prompt), Sampling.greedy().maxTokens(4).ignoreEndOfText(true));
        answer.stopReason();
        Stats.Experts told = answer.stats().experts().orElseThrow();
        assertEquals(sum(model, ExpertStats::tokens) - tokens, told.tokens());
        assertEquals(sum(model, ExpertStats::uses) - uses, told.uses());
        assertEquals(sum(model, s -> s.uses() * s.bytes()) - bytes, told.readBytes());
        assertTrue(told.tokens() > 0 && told.uses() > 0 && told.missedBytes().orElse(0) >= 0, told.toString());
        logits(model);
        assertEquals(told, answer.stats().experts().orElseThrow(), "what comes after it is not its");
        return told;
    }

    private static long sum(Model model, ToLongFunction<ExpertStats> of) {
        return model.experts().stream().mapToLong(of).sum();
    }

    @Test
    void anAnswerToWhatCannotBeLocked() throws IOException {
        Model closed;
        ExpertTrace trace;
        try (Model model = load("", WeightStorage.MAPPED)) {
            closed = model;
            logits(model);
            trace = ExpertTrace.of(model);
            ExpertTrace other = new ExpertTrace("ffff", "other", trace.experts());
            String message = assertThrows(IllegalArgumentException.class, () -> model.pinExperts(other, 1 << 20)).getMessage();
            assertTrue(message.contains("other model") || message.contains("another model"), message);
            assertThrows(IllegalArgumentException.class, () -> model.pinExperts(trace, -1));
            List<ExpertStats> moved = new ArrayList<>();
            for (ExpertStats s : trace.experts())
                moved.add(new ExpertStats(s.layer(), s.expert() + 1_000, s.tokens(), s.uses(), s.repeats(), s.layerSteps(), s.bytes(),
                        s.residentBytes(), s.missedBytes()));
            ExpertTrace none = new ExpertTrace(trace.identity(), trace.name(), moved);
            assertTrue(assertThrows(IllegalArgumentException.class, () -> model.pinExperts(none, 1 << 30)).getMessage()
                    .contains("which the model does not have"));
        }
        assertThrows(IllegalStateException.class, closed::experts);
        assertThrows(IllegalStateException.class, () -> closed.pinExperts(trace, 1 << 20));
        assertThrows(IllegalStateException.class, () -> ExpertTrace.of(closed));
    }

    /// Prints what a model computes while its experts' pages are asked for, and who asks.
    static final class Ask {
        private Ask() {
        }

        public static void main(String[] args) throws IOException {
            try (Model model = load(Path.of(args[0]), "always", WeightStorage.MAPPED)) {
                System.out.println("asking " + askers().size() + " missed " + model.experts().getFirst().missedBytes());
                for (int round = 0; round < 3; round++) System.out.println("logits " + Arrays.deepHashCode(logits(model)));
            }
            System.out.println("left " + askers().size());
        }
    }

    /// With the system's help several threads read, in pieces.
    @Test
    void askingTheSystemChangesNothingEither() throws IOException, InterruptedException {
        String expected;
        try (Model model = load("never", WeightStorage.MAPPED)) {
            expected = "logits " + Arrays.deepHashCode(logits(model));
        }
        String said = ForkedJvm.run(Ask.class, List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"),
                Shipped.path().toString());
        boolean linux = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("linux");
        assertTrue(said.contains(linux ? "asking 4 missed OptionalLong[0]" : "asking 1 missed OptionalLong.empty"), said);
        assertEquals(3, said.lines().filter(expected::equals).count(), expected + ", found " + said);
        assertTrue(said.contains("left 0"), said);
    }

    /// Prints what is locked.
    static final class Pin {
        private Pin() {
        }

        /// As Linux counts it; -1 on another system.
        private static long locked(Path file) throws IOException {
            Path smaps = Path.of("/proc/self/smaps");
            if (!Files.isReadable(smaps)) return -1;
            boolean inside = false;
            long sum = 0;
            for (String line : Files.readAllLines(smaps)) {
                if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) inside = line.endsWith(file.toString());
                else if (inside && line.startsWith("Locked:")) sum += Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
            return sum;
        }

        public static void main(String[] args) throws IOException, InterruptedException {
            Path path = Path.of(args[0]);
            try (Model model = Model.load(path, ModelOptions.defaults().threads(2).weights(WeightStorage.MAPPED))) {
                logits(model);
                long bytes = model.experts().getFirst().bytes(), budget = 5 * bytes;
                long pinned = model.pinExperts(ExpertTrace.of(model), budget);
                System.out.println("pinned " + pinned + " " + locked(path.toRealPath()) + " " + bytes + " " + budget);
            } catch (IllegalStateException | MemoryBudgetException e) {
                System.out.println("refused " + e.getMessage());
            }
        }
    }

    @Test
    void locksTheHottestOrSaysWhatItTakes() throws IOException, InterruptedException {
        String vectors = "--add-modules=jdk.incubator.vector";
        String without = ForkedJvm.run(Pin.class, List.of(vectors), Shipped.path().toString());
        assertTrue(without.contains("refused experts cannot be locked") && without.contains("--enable-native-access"), without);
        String with = ForkedJvm.run(Pin.class, List.of(vectors, "--enable-native-access=ALL-UNNAMED"), Shipped.path().toString());
        if (with.contains("refused")) {
            assertTrue(with.contains("ulimit -l"), with);
            return;
        }
        String[] words = with.lines().filter(l -> l.startsWith("pinned")).findFirst().orElseThrow(() -> new AssertionError(with))
                .split(" ");
        long pinned = Long.parseLong(words[1]), locked = Long.parseLong(words[2]), one = Long.parseLong(words[3]);
        assertTrue(pinned >= one && pinned <= Long.parseLong(words[4]), with);
        if (locked >= 0) assertTrue(locked >= pinned && locked <= pinned + 15 * 2 * 65_536, with); // whole pages, three pieces an expert
    }
}
