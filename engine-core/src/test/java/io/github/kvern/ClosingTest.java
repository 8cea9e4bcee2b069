package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.GgufWriter;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MemoryBudgetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Closing things while they run, using them afterwards, and what is left then.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClosingTest {
    private static final Sampling ENDLESS = Shipped.GREEDY.maxTokens(-1).ignoreEndOfText(true);
    private static final Prompt PROMPT = Prompt.text(Shipped.PROMPT);

    @TempDir
    private Path folder;

    @Test
    void closingTheGeneratorEndsItsAnswerOnly() {
        try (Model model = Shipped.load(Shipped.exact()); Generator other = model.generator()) {
            Generation unharmed = other.generate(PROMPT, Shipped.GREEDY.maxTokens(30));
            Generator generator = model.generator();
            Generation g = generator.generate(PROMPT, ENDLESS);
            var tokens = g.iterator();
            tokens.next();
            generator.close();
            generator.close();
            int after = 0;
            for (; tokens.hasNext(); after++) tokens.next();
            assertTrue(after <= 16, after + " tokens");
            assertEquals(StopReason.CLOSED, g.stopReason());
            assertEquals("the generator is closed",
                    assertThrows(IllegalStateException.class, () -> generator.generate(PROMPT, ENDLESS)).getMessage());
            assertEquals(30, Shipped.tokens(unharmed).size());
            g.close();
            assertEquals(StopReason.CLOSED, g.stopReason(), "the first end counts");
        }
    }

    @Test
    void warmOnceKernelsAreCompiled() throws InterruptedException {
        Model model = Shipped.load(Shipped.exact());
        try (model) {
            assertTrue(model.awaitWarm(Duration.ofSeconds(100)));
            assertTrue(model.awaitWarm(Duration.ZERO));
            assertTrue(model.awaitWarm(Duration.ofSeconds(Long.MAX_VALUE)));
        }
        assertFalse(model.awaitWarm(Duration.ZERO));
    }

    @Test
    void closingTheModelEndsEverything() throws InterruptedException {
        Model model = Shipped.load(Shipped.exact().microBatch(8));
        Generator writing = model.generator(), reading = model.generator(), waiting = model.generator();
        Generation write = writing.generate(PROMPT, ENDLESS);
        Generation read = reading.generate(Prompt.tokens(Shipped.prompt(model, 500)), ENDLESS);
        Generation wait = waiting.generate(PROMPT, ENDLESS);
        while (wait.stats().generatedTokens() < 16 || read.stats().readTokens() == 0) Thread.sleep(1);
        CountDownLatch scoring = new CountDownLatch(1);
        Throwable[] scored = new Throwable[1];
        Thread score = Thread.ofVirtual().start(() -> scored[0] = assertThrows(IllegalStateException.class, () -> {
            int[] ids = Shipped.prompt(model, 500);
            model.score(ids, java.util.stream.IntStream.range(0, 500).toArray(), (position, logits) -> scoring.countDown());
        }));
        scoring.await();
        model.close();
        model.close();
        for (Generation g : List.of(write, read, wait)) {
            assertEquals(StopReason.CLOSED, g.stopReason());
            assertTrue(Shipped.tokens(g).size() <= 16);
        }
        score.join();
        assertTrue(scored[0].getMessage().contains("closed"), scored[0].getMessage());
        for (Generator g : List.of(writing, reading, waiting)) {
            assertEquals("the model is closed", assertThrows(IllegalStateException.class, () -> g.generate(PROMPT, ENDLESS)).getMessage());
            g.close();
        }
        assertThrows(IllegalStateException.class, model::generator);
        assertThrows(IllegalStateException.class, () -> model.score(new int[1], new int[1]));
        assertEquals("Once", model.tokenizer().decode(model.tokenizer().encode("Once")).strip(), "a tokenizer needs no file");
        assertEquals(512, model.info().context());
        write.cancel();
        assertTrue(write.stats().generatedTokens() > 0);
    }

    @Test
    void manyCloseAtOnce() throws InterruptedException {
        Model model = Shipped.load(Shipped.exact());
        Generator generator = model.generator();
        Generation g = generator.generate(PROMPT, ENDLESS);
        Thread[] threads = new Thread[6];
        for (int i = 0; i < threads.length; i++) {
            Runnable[] ways = {model::close, generator::close, g::close};
            Runnable way = ways[i % 3];
            threads[i] = Thread.ofVirtual().start(() -> {
                way.run();
                if (way == ways[0]) assertThrows(IllegalStateException.class, model::generator);
            });
        }
        for (Thread t : threads) t.join();
        Threads.assertNoneLeft();
    }

    @Test
    void nothingIsLeft() throws IOException {
        Path copy = Files.copy(Shipped.path(), folder.resolve("model-to-unmap.gguf"), StandardCopyOption.REPLACE_EXISTING);
        try (Model model = Model.load(copy, Shipped.exact()); Generator generator = model.generator()) {
            assertEquals(5, Shipped.tokens(generator.generate(PROMPT, Shipped.GREEDY.maxTokens(5))).size());
            assertTrue(isMapped(copy));
        }
        assertFalse(isMapped(copy));
        Threads.assertNoneLeft();
    }

    /// Only one operating system tells.
    private static boolean isMapped(Path file) throws IOException {
        Path maps = Path.of("/proc/self/maps");
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(maps),
                "no /proc/self/maps here: whether the file is mapped is not checked");
        return Files.readAllLines(maps).stream().anyMatch(line -> line.contains(file.getFileName().toString()));
    }

    @Test
    void whatCannotBeLoadedLeavesNothing() throws IOException {
        Path copy = Files.copy(Shipped.path(), folder.resolve("model-that-fails.gguf"), StandardCopyOption.REPLACE_EXISTING);
        assertThrows(MemoryBudgetException.class, () -> Model.load(copy, Shipped.exact().cacheBytes(1000)));
        assertFalse(isMapped(copy));
        for (double last : new double[] {0.5, 1}) {
            assertThrows(IllegalStateException.class, () -> Model.load(copy, Shipped.exact(), fraction -> {
                if (fraction >= last) throw new IllegalStateException("a listener that has seen enough");
            }));
            assertFalse(isMapped(copy));
        }
        Path vocabulary = folder.resolve("vocabulary-only.gguf");
        try (GgufFile whole = GgufFile.open(copy)) {
            new GgufWriter(whole.metadata()).write(vocabulary);
        }
        assertThrows(KvernException.class, () -> Model.load(vocabulary));
        assertFalse(isMapped(vocabulary));
        Threads.assertNoneLeft();
    }

    @Test
    void scoringThatIsInterrupted() {
        try (Model model = Shipped.load(Shipped.exact())) {
            Thread.currentThread().interrupt();
            assertThrows(IllegalStateException.class, () -> model.score(Shipped.prompt(model, 300), new int[] {299}));
            assertTrue(Thread.interrupted());
            assertThrows(IllegalStateException.class,
                    () -> model.score(Shipped.prompt(model, 30), new int[] {1, 29}, (position, logits) -> {
                        throw new IllegalStateException("a sink that has had enough");
                    }));
            assertEquals(2, model.score(Shipped.prompt(model, 30), new int[] {1, 29}).length);
        }
    }
}
