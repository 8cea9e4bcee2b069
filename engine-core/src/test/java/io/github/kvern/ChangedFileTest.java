package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A model's file is cut short, overwritten, replaced or deleted while the model is in use: each in a JVM of its own, because the worst
/// that can happen is its end.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a mapped file cannot be changed there")
class ChangedFileTest {
    private static final int[] IDS = {1, 2, 3, 4, 5};
    private static final int LENGTH = 200;
    /// Behind a cut within a page the rest of it reads as zeros, without a fault.
    private static final int PAGE = 4096;
    private static final Sampling ENDLESS = Sampling.greedy().ignoreEndOfText(true);
    private static final List<String> OPTIONS = List.of("--add-modules=jdk.incubator.vector", "-Xmx256m");

    @TempDir
    private Path folder;

    enum Change {
        /// Between two requests.
        CUT_SHORT,
        /// Between two requests, to nothing.
        EMPTIED,
        /// With as many bytes.
        OVERWRITTEN,
        /// By another file under its name, which is how it should be done.
        REPLACED,
        DELETED,
        /// So that nothing of it is to be seen before the fault.
        CUT_SHORT_UNSEEN
    }

    /// Cuts the file short while tokens come, again and again, at moments and to lengths that chance chooses. The name under which it
    /// was opened belongs to another file, so that only the fault tells. When all kernels are compiled, and before.
    static final class Spoiler {
        private static final int TIMES = 25;

        private Spoiler() {
        }

        public static void main(String[] args) throws IOException, InterruptedException {
            Path path = Path.of(args[0]), other = Path.of(args[1]);
            byte[] good = Files.readAllBytes(path);
            SplittableRandom random = new SplittableRandom(3);
            int changed = 0;
            try (Model model = Model.load(path, ModelOptions.defaults().threads(2));
                    FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE);
                    Generator generator = model.generator()) {
                List<Integer> expected = new ArrayList<>();
                try (Generation answer = generator.generate(Prompt.tokens(IDS), ENDLESS.maxTokens(LENGTH))) {
                    for (Token token : answer) expected.add(token.id());
                }
                Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
                for (int i = 0; i < TIMES; i++) {
                    int at = 0, cut = random.nextInt(LENGTH - 64);
                    try (Generation answer = generator.generate(Prompt.tokens(IDS), ENDLESS.maxTokens(LENGTH))) {
                        for (Token token : answer) {
                            if (at == cut) file.truncate(PAGE * random.nextInt(good.length / PAGE - 1));
                            if (token.id() != expected.get(at++)) System.out.println("another token");
                        }
                    } catch (ModelFormatException e) {
                        if (e.getMessage().startsWith(path + ": the file changed while it was in use")) changed++;
                        else System.out.println(e.getMessage());
                    }
                    file.write(ByteBuffer.wrap(good), 0);
                }
                for (Token token : generator.generate(Prompt.tokens(IDS), ENDLESS.maxTokens(3))) expected.add(token.id());
                if (!expected.subList(0, 3).equals(expected.subList(LENGTH, LENGTH + 3))) System.out.println("not well again");
            }
            System.out.println(changed > TIMES / 2 ? "closed" : changed + " errors");
        }
    }

    /// Does what a test wants done, and says how it went.
    static final class Probe {
        private Probe() {
        }

        public static void main(String[] args) throws IOException, InterruptedException {
            Change change = Change.valueOf(args[0]);
            Path path = Path.of(args[1]), other = Path.of(args[2]);
            try (Model model = Model.load(path, ModelOptions.defaults().threads(2));
                    FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
                float[] before = last(model);
                switch (change) {
                    case CUT_SHORT -> file.truncate(file.size() / 2);
                    case EMPTIED -> file.truncate(0);
                    case OVERWRITTEN -> {
                        Files.write(path, new byte[(int) file.size()]);
                        Files.setLastModifiedTime(path, FileTime.fromMillis(12345));
                    }
                    case REPLACED -> Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
                    case DELETED -> Files.delete(path);
                    case CUT_SHORT_UNSEEN -> {
                        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
                        file.truncate(0);
                    }
                }
                Thread.sleep(100); // longer than what the driver takes for just now
                try {
                    System.out.println(Arrays.equals(before, last(model)) ? "the same" : "other logits");
                } catch (ModelFormatException e) {
                    System.out.println(e.getMessage());
                }
                try (Generator generator = model.generator();
                        Generation answer = generator.generate(Prompt.tokens(IDS), Sampling.greedy().maxTokens(2).ignoreEndOfText(true))) {
                    int n = 0;
                    for (Token token : answer) n += token.id() >= 0 ? 1 : 0;
                    System.out.println(n + " tokens");
                } catch (ModelFormatException e) {
                    System.out.println(e.getMessage());
                }
            }
            System.out.println("closed");
        }

        private static float[] last(Model model) {
            return model.score(IDS, new int[] {IDS.length - 1})[0];
        }
    }

    @ParameterizedTest
    @EnumSource
    void isSaid(Change change) throws IOException, InterruptedException {
        Fixture f = Fixture.of("llama").stream().min(Comparator.comparing(x -> x.path().toFile().length())).orElseThrow();
        Path path = Files.copy(f.path(), folder.resolve("m.gguf")), other = Files.copy(f.path(), folder.resolve("other.gguf"));
        boolean tellsFiles = Files.readAttributes(path, java.nio.file.attribute.BasicFileAttributes.class).fileKey() != null;
        Assumptions.assumeTrue(tellsFiles || change != Change.CUT_SHORT_UNSEEN, "this file system does not tell files apart");
        String out = ForkedJvm.run(Probe.class, OPTIONS, change.name(), path.toString(), other.toString());
        List<String> lines = out.lines().filter(line -> !line.startsWith("WARNING: Using incubator") && !line.startsWith("SLF4J")
                && !line.startsWith("kvern: warning")).toList();
        assertEquals(4, lines.size(), out);
        assertEquals(List.of("closed", "exit code 0"), lines.subList(2, 4), out);
        switch (change) {
            case REPLACED, DELETED -> assertEquals(List.of("the same", "2 tokens"), lines.subList(0, 2), out);
            case CUT_SHORT, EMPTIED, OVERWRITTEN, CUT_SHORT_UNSEEN -> {
                for (String line : lines.subList(0, 2)) assertTrue(line.startsWith(path + ": the file changed while it was in use"), out);
            }
        }
    }

    @Test
    void isSaidWhileTokensCome() throws IOException, InterruptedException {
        Fixture f = Fixture.of("llama").stream().max(Comparator.comparing(x -> x.path().toFile().length())).orElseThrow();
        Path path = Files.copy(f.path(), folder.resolve("m.gguf")), other = Files.copy(f.path(), folder.resolve("other.gguf"));
        boolean tellsFiles = Files.readAttributes(path, java.nio.file.attribute.BasicFileAttributes.class).fileKey() != null;
        Assumptions.assumeTrue(tellsFiles, "this file system does not tell files apart");
        String out = ForkedJvm.run(Spoiler.class, OPTIONS, path.toString(), other.toString());
        List<String> lines = out.lines().filter(line -> !line.startsWith("WARNING: Using incubator") && !line.startsWith("SLF4J")
                && !line.startsWith("kvern: warning")).toList();
        assertEquals(List.of("closed", "exit code 0"), lines, out);
    }
}
