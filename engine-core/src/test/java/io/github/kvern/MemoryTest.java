package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/// What does not fit is said before it is tried, or when it was, and the model goes on; in small JVMs.
class MemoryTest {
    private static final int[] IDS = {1, 2, 3};

    /// Heap for the model, not for the buffers of a micro-batch of 50,000 tokens.
    static final class Heap {
        private Heap() {
        }

        public static void main(String[] args) throws IOException {
            try (Model model = Model.load(Path.of(args[0]), ModelOptions.defaults().threads(2).microBatch(65_536))) {
                float[] before = model.score(IDS, new int[] {2})[0];
                int[] many = new int[50_000];
                say(() -> model.score(many, new int[] {many.length - 1}).length);
                say(() -> model.score(many, new int[] {many.length - 1}).length);
                System.out.println(Arrays.equals(before, model.score(IDS, new int[] {2})[0]));
                try (Generator generator = model.generator()) {
                    say(() -> generator.generate(Prompt.tokens(IDS), Sampling.greedy().maxTokens(3).ignoreEndOfText(true)).text().length()
                            >= 0);
                }
            }
        }
    }

    /// A limit of a few megabytes outside the heap.
    static final class Direct {
        private Direct() {
        }

        public static void main(String[] args) throws IOException {
            say(() -> {
                Model.load(Path.of(args[0]), ModelOptions.defaults().cacheBytes(1L << 30)).close();
                return "loaded";
            });
            try (Model model = Model.load(Path.of(args[0]), ModelOptions.defaults().threads(2).weights(WeightStorage.MAPPED))) {
                say(() -> model.generator(GeneratorOptions.context(100_000)).context());
                say(() -> model.score(new int[100_000], new int[] {1}));
                System.out.println(model.score(IDS, new int[] {2}).length);
            }
        }
    }

    private static void say(Callable<?> work) {
        try {
            System.out.println(work.call());
        } catch (MemoryBudgetException e) {
            System.out.println("budget: " + e.getMessage());
        } catch (Exception e) {
            System.out.println(e);
        }
    }

    @Test
    void heap() throws IOException, InterruptedException {
        List<String> lines = run(Heap.class, "-Xmx128m", "-XX:MaxDirectMemorySize=1g");
        for (String line : lines.subList(0, 2)) assertSays(line, "a step of 50000 tokens needs more memory", "--ubatch", "-Xmx");
        assertEquals(List.of("true", "true", "exit code 0"), lines.subList(2, lines.size()));
    }

    @Test
    void direct() throws IOException, InterruptedException {
        List<String> lines = run(Direct.class, "-Xmx256m", "-XX:MaxDirectMemorySize=8m");
        assertSays(lines.get(0), "1073741824", "8388608", "cacheBytes", "-XX:MaxDirectMemorySize");
        for (String line : lines.subList(1, 3)) assertSays(line, "100000 tokens", "8388608", "-c", "-XX:MaxDirectMemorySize");
        assertEquals(List.of("1", "exit code 0"), lines.subList(3, lines.size()));
    }

    private static void assertSays(String line, String... words) {
        for (String word : words) assertTrue(line.startsWith("budget: ") && line.contains(word), word + " in: " + line);
    }

    private static List<String> run(Class<?> main, String... options) throws IOException, InterruptedException {
        Fixture f = Fixture.of("llama").stream().filter(x -> x.model().equals("llama-tied")).findFirst().orElseThrow();
        String[] all = Arrays.copyOf(options, options.length + 1);
        all[options.length] = "--add-modules=jdk.incubator.vector";
        String out = ForkedJvm.run(main, List.of(all), f.path().toString());
        return out.lines().filter(
                line -> !line.startsWith("WARNING: Using incubator") && !line.startsWith("SLF4J") && !line.startsWith("kvern: warning"))
                .toList();
    }
}
