package io.github.kvern.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.StopReason;
import io.github.kvern.gguf.MemoryBudgetException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Who is woken, who is told, whose turn it is, and what a job does after its end.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SchedulerWakingTest {
    private static final long ENOUGH = 64L << 20;

    private static long pageBytes() {
        try (Driven any = new Driven(64, ENOUGH, (layer, pass) -> {
        })) {
            return any.pool.pageBytes(0);
        }
    }

    @Test
    void aCancelledJobIsReleasedByADriverThatSleeps() throws InterruptedException {
        AtomicReference<Thread> driver = new AtomicReference<>();
        try (Driven driven = new Driven(8, ENOUGH, (layer, pass) -> driver.set(Thread.currentThread()))) {
            GenerateJob job = driven.submit(driven.prompt(5, 1), 100);
            while (job.stats().generatedTokens() < 16) Thread.onSpinWait();
            while (driver.get().getState() != Thread.State.WAITING) Thread.onSpinWait(); // nobody reads, so there is nothing to do
            driven.scheduler.cancel(job, StopReason.CANCELLED);
            job.awaitRelease();
            assertEquals(StopReason.CANCELLED, job.await());
        }
    }

    @Test
    void aJobThatTheCacheHasNoRoomForIsReleased() {
        try (Driven driven = new Driven(64, pageBytes(), (layer, pass) -> {
        })) {
            GenerateJob job = driven.submit(driven.prompt(100, 1), 5);
            assertThrows(MemoryBudgetException.class, () -> Driven.read(job));
            job.awaitRelease();
            driven.scheduler.close(job.conversation());
            assertEquals(0, driven.pool.usedBytes());
        }
    }

    @Test
    void allWhoAreInAStepThatFailsAreTold() {
        AtomicBoolean broken = new AtomicBoolean();
        AtomicReference<Runnable> inFirstLayer = new AtomicReference<>(() -> {
        });
        try (Driven driven = new Driven(64, ENOUGH, (layer, pass) -> {
            inFirstLayer.getAndSet(() -> {
            }).run();
            if (pass.step().count() == 15 && broken.getAndSet(false)) throw new IllegalStateException("broken");
        })) {
            List<GenerateJob> jobs = new ArrayList<>();
            broken.set(true);
            inFirstLayer.set(() -> { // all of them are there when the next step is gathered
                for (int i = 0; i < 3; i++) jobs.add(driven.submit(driven.prompt(5, i), 4));
            });
            GenerateJob first = driven.submit(driven.prompt(20, 9), 1);
            assertEquals(1, Driven.read(first).size());
            assertEquals(3, jobs.size());
            for (GenerateJob job : jobs)
                assertEquals("broken", assertThrows(IllegalStateException.class, () -> Driven.read(job)).getMessage());
            assertFalse(broken.get());
        }
    }

    /// A step of one row, and two who want it.
    @Test
    void answersTakeTurns() {
        AtomicReference<Runnable> inFirstLayer = new AtomicReference<>(() -> {
        });
        List<GenerateJob> jobs = new ArrayList<>();
        List<String> unfair = new ArrayList<>();
        try (Driven driven = new Driven(1, ENOUGH, (layer, pass) -> {
            inFirstLayer.getAndSet(() -> {
            }).run();
            if (jobs.isEmpty()) return;
            int a = jobs.get(0).stats().generatedTokens(), b = jobs.get(1).stats().generatedTokens();
            if (Math.abs(a - b) > 1) unfair.add(a + " and " + b);
        })) {
            inFirstLayer.set(() -> jobs.addAll(List.of(driven.submit(driven.prompt(1, 1), 10), driven.submit(driven.prompt(1, 2), 10))));
            Driven.read(driven.submit(driven.prompt(1, 0), 1));
            for (GenerateJob job : jobs) assertEquals(10, Driven.read(job).size());
            assertEquals(List.of(), unfair);
        }
    }

    @Test
    void whoHasBeenIdleForLongestMakesWay() {
        try (Driven driven = new Driven(64, 2 * pageBytes(), (layer, pass) -> {
        })) {
            List<GenerateJob> jobs = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                jobs.add(driven.submit(driven.prompt(50, i), 2));
                assertEquals(2, Driven.read(jobs.getLast()).size());
                jobs.getLast().awaitRelease();
            }
            assertEquals(0, jobs.get(0).conversation().sequence().length(), "the first made way");
            assertTrue(jobs.get(1).conversation().sequence().length() > 0, "the second did not");
        }
    }

    /// What comes too late is not taken: neither into the conversation nor into a step.
    @Test
    void afterTheEndNothingIsTaken() throws InterruptedException {
        try (Driven driven = new Driven(8, ENOUGH, (layer, pass) -> {
        })) {
            GenerateJob job = driven.job(driven.conversation(), driven.prompt(3, 1), 9);
            job.conversation().begun();
            job.start();
            assertTrue(job.ready());
            job.end(StopReason.CANCELLED, null);
            assertFalse(job.ready());
            int before = job.conversation().length();
            job.deliver(new float[driven.vocabulary], 0);
            assertEquals(before, job.conversation().length());
            job.end(StopReason.CLOSED, new IllegalStateException("the second end"));
            assertEquals(StopReason.CANCELLED, job.await());
            assertEquals(List.of(), Driven.read(job));
            Thread.currentThread().interrupt();
            Thread releaser = Thread.ofPlatform().start(() -> job.release(1));
            job.awaitRelease();
            assertTrue(Thread.interrupted(), "an interrupt is kept");
            releaser.join();
        }
    }
}
