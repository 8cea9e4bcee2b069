package io.github.kvern;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Model files with random damage, anywhere: each is refused with one of our own exceptions, or answers, or says that what it computes
/// is no number. Nothing else is thrown, and nothing hangs.
class MutatedModelTest {
    private static final long SEED = 8;
    private static final int FILES = 150;

    @TempDir
    private Path folder;

    /// The smallest file of every architecture.
    static Stream<Fixture> models() {
        return Architectures.names().stream()
                .map(a -> Fixture.of(a).stream().min(Comparator.comparing(f -> f.path().toFile().length())).orElseThrow());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void damaged(Fixture f) throws IOException {
        byte[] good = Files.readAllBytes(f.path());
        int header;
        try (GgufFile file = GgufFile.open(f.path())) {
            header = (int) file.dataOffset(0);
        }
        Set<String> outcomes = new HashSet<>();
        for (int i = 0; i < FILES; i++) {
            long seed = SEED * 1_000_003 + i;
            byte[] bad = damage(good, header, new Random(seed));
            Path path = Files.write(folder.resolve("m.gguf"), bad);
            String what = f + ", seed " + seed;
            outcomes.add(Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> use(path, what), what));
        }
        Assertions.assertTrue(outcomes.containsAll(Set.of("refused", "answered")), () -> "damage of one kind only: " + outcomes);
    }

    private static byte[] damage(byte[] good, int header, Random random) {
        byte[] bad = random.nextInt(10) == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
        if (bad.length < 100) return bad;
        boolean inHeader = random.nextInt(4) > 0;
        int span = inHeader ? Math.min(header, bad.length) : bad.length - 8;
        for (int n = 1 + random.nextInt(6); n > 0; n--) {
            int at = random.nextInt(span - 8);
            switch (random.nextInt(5)) {
                case 0 -> bad[at] = (byte) random.nextInt();
                case 1 -> bad[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(at,
                        List.of(0, -1, 1, 1 << 30, 0x7FC00000, 0x7F800000).get(random.nextInt(6)));
                case 3 -> System.arraycopy(bad, random.nextInt(span - 8), bad, at, 8);
                default -> bad[at] += (byte) (random.nextBoolean() ? 1 : -1);
            }
        }
        return bad;
    }

    /// What becomes of a file.
    private static String use(Path path, String what) throws IOException {
        try (Model model = Model.load(path, ModelOptions.defaults().threads(1).microBatch(16).cacheBytes(1 << 26))) {
            int vocabulary = model.info().vocabulary();
            model.score(new int[] {0, vocabulary / 2, vocabulary - 1}, new int[] {1, 2});
            try (Generator generator = model.generator(GeneratorOptions.context(64));
                    Generation answer = generator.generate(Prompt.tokens(0, vocabulary - 1),
                            Sampling.defaults().seed(1).maxTokens(8).stop("xx"))) {
                for (Token token : answer) if (token.text().length() > 1 << 20) throw new AssertionError("a long token");
            }
            return "answered";
        } catch (LogitsException | MemoryBudgetException e) {
            return e.getClass().getSimpleName();
        } catch (ModelFormatException | UnsupportedModelException e) {
            if (String.valueOf(e.getMessage()).lines().count() != 1)
                throw new AssertionError(what + ": not one line: " + e.getMessage(), e);
            return "refused";
        } catch (KvernException | IOException e) {
            throw new AssertionError(what + ": " + e, e);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    /// A weight that is no number makes logits that are none: said, not sampled from, and the model goes on.
    @Test
    void weightsThatAreNoNumbers() throws IOException {
        Fixture f = models().filter(m -> m.json().get("arch").equals("llama")).findFirst().orElse(null);
        Assumptions.assumeTrue(f != null, "no llama");
        ModelSheet good = ModelSheet.read(f.path());
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (Map.Entry<String, ModelSheet.Item> t : good.tensors().entrySet()) {
                if (t.getValue().shape().size() < 2) continue;
                ModelSheet.Item item = t.getValue().as(TensorType.F32, t.getValue().shape());
                ByteBuffer values = ByteBuffer.wrap(item.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < values.capacity(); i += 4) values.putFloat(i, bad);
                Path path = good.withTensor(t.getKey(), item).write(folder.resolve("m.gguf"));
                try (Model model = Model.load(path, ModelOptions.defaults().threads(2)); Generator generator = model.generator()) {
                    for (Sampling sampling : List.of(Sampling.greedy(), Sampling.defaults())) {
                        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
                            try (Generation answer = generator.generate(Prompt.tokens(1, 2, 3), sampling.maxTokens(3))) {
                                Assertions.assertThrows(LogitsException.class, () -> answer.forEach(token -> {
                                }), t.getKey() + " of " + bad);
                            }
                        });
                    }
                }
            }
        }
    }
}
