package io.github.kvern.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.LogitsException;
import io.github.kvern.StopReason;
import io.github.kvern.Token;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The driver, watched from between the layers.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SchedulerTest {
    private static final long ENOUGH = 64L << 20;

    /// Rows of the steps that were begun, and how many of them came to their end.
    private static final class Steps {
        final List<Integer> begun = Collections.synchronizedList(new ArrayList<>());
        final AtomicInteger layersRun = new AtomicInteger();

        void note(int layer, int rows) {
            if (layer == 0) begun.add(rows);
            layersRun.incrementAndGet();
        }
    }

    @ParameterizedTest
    @EnumSource(value = StopReason.class, names = {"CANCELLED", "CLOSED"})
    void thePromptIsGivenUpWithinALayer(StopReason why) throws InterruptedException {
        Steps steps = new Steps();
        AtomicReference<Runnable> inFirstLayer = new AtomicReference<>(() -> {
        });
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            steps.note(layer, pass.step().count());
            if (layer == 0 && steps.begun.size() == 2) inFirstLayer.get().run();
        })) {
            GenerateJob job = driven.job(driven.conversation(), driven.prompt(500, 0), 10);
            inFirstLayer.set(() -> {
                driven.scheduler.cancel(job, why);
                assertTrue(job.isDone(), "whoever reads need not wait for the layer");
            });
            driven.scheduler.submit(job);
            job.awaitRelease();
            assertEquals(driven.layers + 1, steps.layersRun.get(), "one whole step, and one layer of the next");
            assertEquals(List.of(), Driven.read(job));
            assertEquals(why, job.await());
            assertEquals(64, job.stats().readTokens());
            assertEquals(64, job.conversation().sequence().length(), "what was computed before is kept");
        }
    }

    @Test
    void mostOfAStepForNobodyIsGivenUpAndTheRestComputedAgain() {
        Steps steps = new Steps();
        AtomicReference<Runnable> inMixedStep = new AtomicReference<>(() -> {
        });
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            steps.note(layer, pass.step().count());
            if (layer == 0 && pass.step().count() == 64) inMixedStep.get().run();
        })) {
            List<Integer> alone = Driven.read(driven.submit(driven.prompt(5, 1), 40));
            GenerateJob answer = driven.submit(driven.prompt(5, 1), 40);
            GenerateJob prompt = driven.job(driven.conversation(), driven.prompt(500, 2), 1);
            int before = steps.layersRun.get();
            inMixedStep.set(() -> {
                inMixedStep.set(() -> {
                });
                driven.scheduler.cancel(prompt, StopReason.CANCELLED);
            });
            driven.scheduler.submit(prompt);
            assertEquals(alone, Driven.read(answer));
            assertEquals(List.of(), Driven.read(prompt));
            assertTrue((steps.layersRun.get() - before) % driven.layers == 1, "the mixed step ended after its first layer");
        }
    }

    /// Callers who come and go must not keep others from getting on.
    @Test
    void notTwiceInARow() {
        AtomicInteger mixed = new AtomicInteger();
        List<GenerateJob> prompts = Collections.synchronizedList(new ArrayList<>());
        AtomicReference<Driven> self = new AtomicReference<>();
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            Driven d = self.get();
            if (d == null || layer > 0 || pass.step().count() < 64 || prompts.size() > 20) return;
            mixed.incrementAndGet();
            GenerateJob gone = prompts.getLast();
            prompts.add(d.submit(d.prompt(500, mixed.get()), 1)); // the next is there before this one goes
            d.scheduler.cancel(gone, StopReason.CANCELLED);
        })) {
            List<Integer> alone = Driven.read(driven.submit(driven.prompt(5, 1), 9));
            GenerateJob answer = driven.job(driven.conversation(), driven.prompt(5, 1), 9);
            prompts.add(driven.job(driven.conversation(), driven.prompt(500, 0), 1));
            self.set(driven);
            driven.scheduler.submit(answer);
            driven.scheduler.submit(prompts.getFirst());
            assertEquals(alone, Driven.read(answer));
            assertTrue(mixed.get() < 20, "9 tokens took " + mixed + " steps full of prompts for nobody");
            self.set(null);
            prompts.forEach(p -> driven.scheduler.cancel(p, StopReason.CANCELLED));
        }
    }

    @Test
    void promptsAreNotStarvedByAnswers() throws InterruptedException {
        Steps steps = new Steps();
        try (Driven driven = new Driven(1, ENOUGH, (layer, pass) -> steps.note(layer, pass.step().count()))) {
            GenerateJob answer = driven.submit(driven.prompt(1, 0), 400);
            GenerateJob prompt = driven.submit(driven.prompt(20, 1), 1);
            AtomicInteger read = new AtomicInteger();
            Thread reader = Thread.ofVirtual().start(() -> read.set(Driven.read(answer).size()));
            assertEquals(1, Driven.read(prompt).size());
            int tokens = answer.stats().generatedTokens();
            assertTrue(tokens < 100, "a prompt of 20 tokens was read while the other wrote " + tokens);
            reader.join();
            assertEquals(400, read.get());
        }
    }

    @Test
    void answersAreNotStarvedByPromptsNorByEachOther() throws InterruptedException {
        try (Driven driven = new Driven(4, ENOUGH, (layer, pass) -> {
        })) {
            List<Thread> readers = new ArrayList<>();
            AtomicInteger done = new AtomicInteger();
            for (int i = 0; i < 9; i++) {
                GenerateJob job = driven.submit(driven.prompt(i % 3 == 0 ? 200 : 2, i), 30);
                readers.add(Thread.ofVirtual().start(() -> {
                    if (Driven.read(job).size() == 30) done.incrementAndGet();
                }));
            }
            for (Thread t : readers) t.join();
            assertEquals(9, done.get());
        }
    }

    @Test
    void aReaderThatStopsHoldsUpNobody() {
        try (Driven driven = new Driven(8, ENOUGH, (layer, pass) -> {
        })) {
            List<GenerateJob> unread = new ArrayList<>();
            for (int i = 0; i < 5; i++) unread.add(driven.submit(driven.prompt(20, i), 100));
            assertEquals(200, Driven.read(driven.submit(driven.prompt(20, 9), 200)).size());
            for (GenerateJob job : unread) {
                assertFalse(job.isDone());
                assertTrue(job.stats().generatedTokens() <= 16);
                assertEquals(100, Driven.read(job).size());
            }
        }
    }

    /// An exception of a step ends who is in it; the driver lives on.
    @Test
    void aStepThatFails() {
        AtomicReference<RuntimeException> bad = new AtomicReference<>();
        AtomicReference<Error> worse = new AtomicReference<>();
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            RuntimeException e = bad.getAndSet(null);
            if (e != null) throw e;
            Error f = worse.getAndSet(null);
            if (f != null) throw f;
        })) {
            List<Integer> alone = Driven.read(driven.submit(driven.prompt(5, 1), 20));
            bad.set(new IllegalStateException("broken"));
            GenerateJob first = driven.submit(driven.prompt(5, 1), 20);
            assertEquals("broken", assertThrows(IllegalStateException.class, () -> Driven.read(first)).getMessage());
            assertThrows(IllegalStateException.class, first::await);
            worse.set(new OutOfMemoryError("a test's"));
            GenerateJob second = driven.submit(driven.prompt(5, 1), 20);
            KvernException e = assertThrows(KvernException.class, () -> Driven.read(second));
            assertTrue(e.getMessage().contains("a test's"), e.getMessage());
            second.awaitRelease();
            assertEquals(0, second.conversation().sequence().length());
            GenerateJob third = driven.job(second.conversation(), driven.prompt(5, 1), 20);
            driven.scheduler.submit(third);
            assertEquals(alone, Driven.read(third));
        }
    }

    /// A file that is written to in the middle of a step: nothing that came of the step is handed out.
    @Test
    void aFileThatChangesDuringAStep(@TempDir Path folder) throws IOException {
        Path model = Files.copy(Driven.MODEL, folder.resolve("m.gguf"));
        AtomicInteger step = new AtomicInteger();
        try (Driven driven = new Driven(model, 64, ENOUGH, (layer, pass) -> {
            if (layer > 0 || step.incrementAndGet() != 4) return;
            try {
                Files.setLastModifiedTime(model, FileTime.fromMillis(12345));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        })) {
            GenerateJob job = driven.submit(driven.prompt(5, 1), 20);
            List<Token> tokens = new ArrayList<>();
            assertThrows(ModelFormatException.class, () -> {
                for (Token t; (t = job.outbox().take()) != null;) tokens.add(t);
            });
            assertEquals(3, tokens.size(), "one for each step before");
        }
    }

    /// What is no number in one conversation is no matter of the others.
    @Test
    void logitsThatAreNoNumbers() {
        AtomicBoolean poison = new AtomicBoolean();
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            if (layer == 0 && pass.step().count() == 2 && poison.getAndSet(false)) Arrays.fill(pass.hidden(), 0, 1, Float.NaN);
        })) {
            List<Integer> alone = Driven.read(driven.submit(driven.prompt(1, 1), 14));
            GenerateJob a = driven.submit(driven.prompt(1, 1), 14), b = driven.submit(driven.prompt(1, 1), 14);
            poison.set(true);
            int failed = 0;
            for (GenerateJob job : List.of(a, b)) {
                try {
                    assertEquals(alone, Driven.read(job));
                } catch (LogitsException e) {
                    failed++;
                    assertThrows(LogitsException.class, job::await);
                }
            }
            assertTrue(poison.get() ? failed == 0 : failed == 1, failed + " failed");
        }
    }

    @Test
    void allPagesComeBack() {
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
        })) {
            GenerateJob job = driven.submit(driven.prompt(300, 0), 20);
            Driven.read(job);
            assertTrue(driven.pool.usedBytes() > 0);
            job.awaitRelease();
            driven.scheduler.close(job.conversation());
            assertEquals(0, driven.pool.usedBytes());
            GenerateJob cancelled = driven.submit(driven.prompt(300, 1), 20);
            driven.scheduler.cancel(cancelled, StopReason.CANCELLED);
            cancelled.awaitRelease();
            driven.scheduler.close(cancelled.conversation());
            assertEquals(0, driven.pool.usedBytes());
        }
    }

    /// The next answer of a conversation may be there before the driver has let go of the last one; it is not idle then.
    @Test
    void aConversationBetweenTwoAnswersDoesNotMakeWay() {
        AtomicReference<Runnable> inFirstLayer = new AtomicReference<>(() -> {
        });
        long page;
        try (Driven any = new Driven(64, ENOUGH, (layer, pass) -> {
        })) {
            page = any.pool.pageBytes(0);
        }
        try (Driven driven = new Driven(64, 3 * page, (layer, pass) -> inFirstLayer.getAndSet(() -> {
        }).run())) {
            GenerateJob last = driven.job(driven.conversation(), driven.prompt(100, 0), 5);
            GenerateJob next = driven.job(last.conversation(), driven.prompt(100, 0), 20);
            inFirstLayer.set(() -> {
                driven.scheduler.cancel(last, StopReason.CANCELLED);
                driven.scheduler.submit(next);
            });
            driven.scheduler.submit(last);
            assertEquals(List.of(), Driven.read(last));
            while (next.stats().generatedTokens() == 0) Thread.onSpinWait();
            GenerateJob other = driven.submit(driven.prompt(100, 1), 5);
            assertThrows(MemoryBudgetException.class, () -> Driven.read(other));
            assertEquals(20, Driven.read(next).size());
            GenerateJob again = driven.job(other.conversation(), driven.prompt(100, 1), 5);
            driven.scheduler.submit(again);
            assertEquals(5, Driven.read(again).size(), "now it is idle, and makes way");
        }
    }

    @Test
    void closingEndsWhoIsInAStepAndWhoWaits() throws InterruptedException {
        AtomicReference<Thread> closer = new AtomicReference<>();
        AtomicReference<Driven> self = new AtomicReference<>();
        AtomicInteger after = new AtomicInteger();
        Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            if (pass.step().count() < 64) return;
            if (closer.get() != null) {
                after.incrementAndGet();
                return;
            }
            closer.set(Thread.ofVirtual().unstarted(() -> self.get().scheduler.close()));
            closer.get().start();
            while (!pass.step().abandoned()) Thread.onSpinWait();
        });
        self.set(driven);
        GenerateJob waiting = driven.submit(driven.prompt(3, 0), 50);
        while (waiting.stats().generatedTokens() < 16) Thread.onSpinWait();
        GenerateJob reading = driven.submit(driven.prompt(500, 1), 50);
        assertEquals(List.of(), Driven.read(reading));
        assertEquals(StopReason.CLOSED, reading.await());
        assertEquals(16, Driven.read(waiting).size());
        assertEquals(StopReason.CLOSED, waiting.await());
        closer.get().join();
        reading.awaitRelease();
        waiting.awaitRelease();
        assertEquals(0, after.get(), "layers after the end");
        assertThrows(IllegalStateException.class, () -> driven.submit(driven.prompt(3, 0), 1));
        driven.close();
    }
}
