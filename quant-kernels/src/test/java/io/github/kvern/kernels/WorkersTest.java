package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class WorkersTest {
    private static final long LARGE = 1_000_000;

    @Test
    void everyUnitRunsOnce() {
        for (int threads = 1; threads <= 5; threads++) {
            try (Workers workers = new Workers(threads)) {
                Region region = new Region(workers);
                for (int round = 0; round < 300; round++) {
                    int[] sizes = {1 + round % 7, 1, 100 + round, round % 3};
                    AtomicIntegerArray[] counts = new AtomicIntegerArray[sizes.length];
                    for (int i = 0; i < sizes.length; i++) {
                        AtomicIntegerArray count = counts[i] = new AtomicIntegerArray(sizes[i]);
                        region.add((from, to, scratch) -> {
                            for (int u = from; u < to; u++) count.incrementAndGet(u);
                        }, sizes[i], i == 1 ? LARGE : 1 + i * 1000L);
                    }
                    region.run();
                    for (AtomicIntegerArray count : counts)
                        for (int u = 0; u < count.length(); u++)
                            assertEquals(1, count.get(u), "unit " + u + " in round " + round + ", " + threads + " threads");
                }
            }
        }
    }

    @Test
    void aRangeStaysWithTheSameWorker() {
        WorkList list = new WorkList();
        list.add(10, 100);
        list.add(1, 1000);
        list.add(20, 50);
        assertEquals(0, list.cut(0, 3));
        assertEquals(10, list.cut(1, 3));
        assertEquals(11, list.cut(2, 3));
        assertEquals(31, list.cut(3, 3));
        assertEquals(3000, list.cost());
    }

    @Test
    void whoIsHeldUpIsHelped() throws InterruptedException {
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger done = new AtomicInteger();
        try (Workers workers = new Workers(2)) {
            Region region = new Region(workers);
            region.add((from, to, scratch) -> {
                // whoever comes first is held up until all the rest is done by the other
                if (done.getAndAdd(to - from) == 0) await(release);
                if (done.get() == 64) release.countDown();
            }, 64, LARGE);
            region.run();
        }
        assertEquals(64, done.get());
    }

    @Test
    void aFailureReachesTheCallerAndTheTeamGoesOn() {
        try (Workers workers = new Workers(3)) {
            Region region = new Region(workers);
            for (int bad = 0; bad < 60; bad++) {
                int unit = bad;
                RuntimeException failure = new RuntimeException("unit " + bad);
                region.add((from, to, scratch) -> {
                    if (from <= unit && unit < to) throw failure;
                }, 60, LARGE);
                assertSame(failure, assertThrows(RuntimeException.class, region::run));
                AtomicInteger done = new AtomicInteger();
                region.add((from, to, scratch) -> done.addAndGet(to - from), 60, LARGE);
                region.run();
                assertEquals(60, done.get());
            }
            region.add((from, to, scratch) -> {
                throw new StackOverflowError();
            }, 60, LARGE);
            assertThrows(StackOverflowError.class, region::run);
        }
    }

    @Test
    void parksWhenIdleAndWakesAgain() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            Region region = new Region(workers);
            for (int round = 0; round < 20; round++) {
                Thread.sleep(round % 4 * 3L);
                AtomicInteger done = new AtomicInteger();
                region.add((from, to, scratch) -> done.addAndGet(to - from), 1000, LARGE);
                region.run();
                assertEquals(1000, done.get());
            }
        }
    }

    /// A region whose units wait for each other needs every worker.
    @Test
    void whoIsParkedIsWoken() {
        Set<Thread> before = team();
        try (Workers workers = new Workers(3)) {
            Set<Thread> mine = team();
            mine.removeAll(before);
            Region region = new Region(workers);
            for (int round = 0; round < 5; round++) {
                for (Thread t : mine) while (t.getState() != Thread.State.WAITING) Thread.onSpinWait();
                CountDownLatch all = new CountDownLatch(3);
                region.add((from, to, scratch) -> {
                    all.countDown();
                    await(all);
                }, 3, LARGE);
                region.run();
                assertEquals(0, all.getCount());
            }
        }
    }

    /// The last unit ends when the driver has parked.
    @Test
    void theDriverIsWoken() {
        try (Workers workers = new Workers(2)) {
            Region region = new Region(workers);
            Thread driver = Thread.currentThread();
            for (int round = 0; round < 5; round++) {
                CountDownLatch begun = new CountDownLatch(1);
                region.add((from, to, scratch) -> {
                    if (Thread.currentThread() == driver) {
                        await(begun); // so that the other's unit is not taken from it
                    } else {
                        begun.countDown();
                        while (driver.getState() != Thread.State.WAITING) Thread.onSpinWait(); // in a latch it is another state
                    }
                }, 2, LARGE);
                region.run();
            }
        }
    }

    @Test
    @SuppressWarnings("try") // closing from inside is what is tried
    void aTaskCannotRunARegion() {
        try (Workers workers = new Workers(2)) {
            Region region = new Region(workers);
            Region inner = new Region(workers);
            region.add((from, to, scratch) -> {
                inner.add((f, t, s) -> {}, 10, LARGE);
                inner.run();
            }, 2, LARGE);
            assertThrows(IllegalStateException.class, region::run);
            region.add((from, to, scratch) -> workers.close(), 2, LARGE);
            assertThrows(IllegalStateException.class, region::run);
        }
    }

    @Test
    void closeEndsTheThreads() {
        Set<Thread> before = team();
        Workers workers = new Workers(4);
        Set<Thread> mine = team();
        mine.removeAll(before);
        Region region = new Region(workers);
        region.add((from, to, scratch) -> {}, 100, LARGE);
        region.run();
        assertEquals(3, mine.size());
        workers.close();
        workers.close();
        for (Thread t : mine) assertFalse(t.isAlive());
        region.add((from, to, scratch) -> {}, 1, 1);
        assertThrows(IllegalStateException.class, region::run);
    }

    @Test
    void wantsAThread() {
        assertThrows(IllegalArgumentException.class, () -> new Workers(0));
    }

    @Test
    void driversTakeTurns() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            AtomicInteger inside = new AtomicInteger();
            AtomicInteger worst = new AtomicInteger();
            Runnable drive = () -> {
                Region region = new Region(workers);
                for (int i = 0; i < 200; i++) {
                    region.add((from, to, scratch) -> worst.accumulateAndGet(inside.incrementAndGet(), Math::max), 1, LARGE);
                    region.add((from, to, scratch) -> inside.decrementAndGet(), 1, LARGE);
                    region.run();
                }
            };
            Thread a = new Thread(drive), b = new Thread(drive);
            a.start();
            b.start();
            a.join();
            b.join();
            assertFalse(worst.get() > 1, "two regions at once");
        }
    }

    private static Set<Thread> team() {
        return Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("kvern-worker-"))
                .collect(Collectors.toSet());
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(30, TimeUnit.SECONDS)) throw new IllegalStateException("nobody helped");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
