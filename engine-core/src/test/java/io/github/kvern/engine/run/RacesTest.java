package io.github.kvern.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.StopReason;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The meeting points of the driver and its callers, over and over at slightly different moments: every outcome must be one of those
/// that make sense, and nobody may wait for ever.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RacesTest {
    private static final int ROUNDS = 20_000;

    /// Runs actions on threads of their own, all at once, round after round. An action spins a few times first, differently in each
    /// round.
    private static void race(int rounds, Runnable before, Runnable after, Runnable... actions) throws InterruptedException {
        AtomicInteger round = new AtomicInteger(), done = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread[] threads = new Thread[actions.length];
        for (int i = 0; i < actions.length; i++) {
            SplittableRandom random = new SplittableRandom(i);
            Runnable action = actions[i];
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int r = 1; r <= rounds; r++) {
                    for (int spins = 0; round.get() < r; spins++) {
                        if (round.get() < 0) return;
                        if (spins < 200) Thread.onSpinWait();
                        else Thread.yield();
                    }
                    for (int spins = random.nextInt(60); spins > 0; spins--) Thread.onSpinWait();
                    try {
                        action.run();
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                    done.incrementAndGet();
                }
            });
        }
        try {
            for (int r = 1; r <= rounds; r++) {
                before.run();
                done.set(0);
                round.set(r);
                for (int spins = 0; done.get() < actions.length; spins++) {
                    if (spins < 200) Thread.onSpinWait();
                    else Thread.yield();
                }
                if (failure.get() != null) throw new AssertionError("round " + r, failure.get());
                after.run();
            }
        } finally {
            round.set(-1);
            for (Thread t : threads) t.join();
        }
    }

    /// What a driver does: it makes one more when there is room, and otherwise sleeps until it is woken.
    @Test
    void outboxLosesNothingAndWakesItsDriver() throws InterruptedException {
        for (int capacity : new int[] {1, 2, 16}) {
            Semaphore wake = new Semaphore(0);
            Outbox<Integer> outbox = new Outbox<>(capacity, wake::release);
            int items = 30_000;
            Thread driver = Thread.ofPlatform().start(() -> {
                int held = 0;
                for (int i = 0; i < items;) {
                    if (!outbox.hasRoom(held)) {
                        wake.acquireUninterruptibly();
                        wake.drainPermits();
                        continue;
                    }
                    if (capacity > 1 && i % 5 == 0 && held == 0) { // hold one back
                        held = 1;
                        i++;
                        continue;
                    }
                    if (held == 1) outbox.put(i - 1);
                    held = 0;
                    outbox.put(i++);
                }
                outbox.end(null);
            });
            int expected = 0;
            for (Integer next; (next = outbox.take()) != null; expected++) assertEquals(expected, next);
            assertEquals(items, expected);
            driver.join();
        }
    }

    @Test
    void outboxEndsOnce() throws InterruptedException {
        AtomicReference<Outbox<Integer>> box = new AtomicReference<>();
        AtomicInteger taken = new AtomicInteger(), failed = new AtomicInteger();
        race(ROUNDS, () -> {
            box.set(new Outbox<>(4, () -> {
            }));
            taken.set(0);
            failed.set(0);
        }, () -> assertTrue(taken.get() <= 2 && failed.get() <= 1, () -> taken + " taken, " + failed + " failures"), () -> {
            box.get().put(1);
            box.get().put(2);
            box.get().end(null);
        }, () -> box.get().end(new IllegalStateException("the other end")), () -> {
            try {
                for (Integer last = 0, next; (next = box.get().take()) != null; last = next) {
                    assertEquals(last + 1, next);
                    taken.incrementAndGet();
                }
            } catch (IllegalStateException e) {
                failed.incrementAndGet();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    /// The driver hands over, two callers end it for different reasons, and a reader reads.
    @Test
    void jobEndsOnce() throws InterruptedException {
        try (Driven driven = new Driven(8, 64L << 20, (layer, pass) -> {
        })) {
            AtomicReference<ScoreJob> job = new AtomicReference<>();
            AtomicInteger taken = new AtomicInteger();
            float[] logits = new float[driven.vocabulary];
            Map<StopReason, Integer> reasons = new EnumMap<>(StopReason.class);
            race(ROUNDS, () -> {
                taken.set(0);
                job.set(new ScoreJob(driven.scheduler, driven.pool.sequence(), new int[] {1, 2}, new int[] {0, 1}, 1));
            }, () -> {
                try {
                    StopReason why = job.get().await();
                    assertTrue(taken.get() == 2 || why != StopReason.MAX_TOKENS, () -> taken + " taken, then " + why);
                    reasons.merge(why, 1, Integer::sum);
                    job.get().release(1);
                    job.get().awaitRelease();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }, () -> {
                job.get().deliver(logits, 0);
                job.get().deliver(logits, 0);
                job.get().end(StopReason.MAX_TOKENS, null);
            }, () -> job.get().end(StopReason.CANCELLED, null), () -> job.get().end(StopReason.CLOSED, null), () -> {
                try {
                    while (job.get().outbox().take() != null) taken.incrementAndGet();
                    assertTrue(job.get().isDone(), "who has read everything may ask for the next");
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertNotNull(reasons.get(StopReason.CANCELLED), () -> "never seen: " + reasons);
            assertEquals(0, driven.pool.usedBytes());
        }
    }

    /// A job is done before its reader can see the end: while the reader's side is locked, an end gets as far as that and no further.
    @Test
    void doneBeforeTheReaderIsTold() throws InterruptedException {
        try (Driven driven = new Driven(8, 64L << 20, (layer, pass) -> {
        })) {
            GenerateJob job = driven.job(driven.conversation(), driven.prompt(3, 1), 2);
            Thread ender = Thread.ofPlatform().unstarted(() -> job.end(StopReason.MAX_TOKENS, null));
            job.outbox().lock.lock();
            try {
                ender.start();
                while (!job.outbox().lock.hasQueuedThread(ender)) Thread.onSpinWait();
                assertTrue(job.isDone());
            } finally {
                job.outbox().lock.unlock();
                ender.join();
            }
        }
    }

    /// Submit, cancel and read of a running driver, in the same conversation one after the other.
    @Test
    void answersAndCancelsMeet() throws InterruptedException {
        try (Driven driven = new Driven(8, 64L << 20, (layer, pass) -> {
        })) {
            Conversation conversation = driven.conversation();
            int[] prompt = driven.prompt(9, 1);
            AtomicReference<GenerateJob> job = new AtomicReference<>();
            AtomicInteger tokens = new AtomicInteger();
            race(600, () -> {
                job.set(driven.job(conversation, prompt.clone(), 2));
                driven.scheduler.submit(job.get());
            }, () -> {
                try {
                    StopReason why = job.get().await();
                    int n = tokens.get();
                    assertTrue(why == StopReason.MAX_TOKENS ? n == 2 : why == StopReason.CANCELLED && n <= 2, () -> n + " tokens, " + why);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }, () -> {
                for (int spins = Pauses.next(); spins > 0; spins--) Thread.onSpinWait();
                driven.scheduler.cancel(job.get(), StopReason.CANCELLED);
            }, () -> tokens.set(Driven.read(job.get()).size()));
            job.get().awaitRelease();
            driven.scheduler.close(conversation);
            assertEquals(0, driven.pool.usedBytes());
        }
    }

    /// Waits of very different lengths.
    private static final class Pauses {
        private static final SplittableRandom RANDOM = new SplittableRandom(5);

        static int next() {
            return 1 << RANDOM.nextInt(17);
        }
    }
}
