package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Regions, pauses, failures and the end of a team at random moments: no unit twice or never, nobody waits for ever.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class WorkersRacesTest {
    @Test
    void manySmallRegions() {
        long seed = 11;
        SplittableRandom random = new SplittableRandom(seed);
        for (int threads = 2; threads <= 4; threads++) {
            try (Workers workers = new Workers(threads)) {
                Region region = new Region(workers);
                AtomicInteger[] counts = new AtomicInteger[64];
                for (int i = 0; i < counts.length; i++) counts[i] = new AtomicInteger();
                for (int round = 1; round <= 10_000; round++) {
                    int units = 2 + random.nextInt(60);
                    boolean fails = random.nextInt(50) == 0;
                    region.add((from, to, scratch) -> {
                        for (int u = from; u < to; u++) counts[u].incrementAndGet();
                        if (fails && from == 0) throw new IllegalStateException("wanted");
                    }, units, 30_000);
                    try {
                        region.run();
                        for (int u = 0; u < units; u++)
                            assertEquals(1, counts[u].get(), "unit " + u + ", round " + round + ", seed " + seed);
                    } catch (IllegalStateException e) {
                        assertEquals("wanted", e.getMessage());
                    }
                    for (AtomicInteger c : counts) c.set(0);
                    if (random.nextInt(100) == 0) for (int i = random.nextInt(50_000); i > 0; i--) Thread.onSpinWait();
                }
            }
        }
    }

    /// A worker that parks just when there is work again, and a driver that parks just when the last unit is done: both units of a
    /// region wait for each other, and the worker's takes a moment longer. Nobody spins, so that every round goes through the parking.
    @Test
    void parkingMeetsWaking() {
        SplittableRandom random = new SplittableRandom(13);
        try (Workers workers = new Workers(2, 0)) {
            Region region = new Region(workers);
            Thread driver = Thread.currentThread();
            AtomicInteger begun = new AtomicInteger();
            for (int round = 0; round < 20_000; round++) {
                begun.set(0);
                int longer = random.nextInt(300), pause = random.nextInt(300);
                region.add((from, to, scratch) -> {
                    begun.incrementAndGet();
                    for (int spins = 0; begun.get() < 2; spins++) {
                        if (spins < 200) Thread.onSpinWait();
                        else Thread.yield();
                    }
                    if (Thread.currentThread() != driver) for (int i = longer; i > 0; i--) Thread.onSpinWait();
                }, 2, 30_000);
                region.run();
                for (int i = pause; i > 0; i--) Thread.onSpinWait();
            }
        }
    }

    @Test
    void closingWhileRegionsRun() throws InterruptedException {
        long seed = 12;
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 300; round++) {
            Workers workers = new Workers(2 + random.nextInt(2));
            AtomicReference<Throwable> failure = new AtomicReference<>();
            AtomicInteger begun = new AtomicInteger();
            Thread driver = Thread.ofPlatform().start(() -> {
                Region region = new Region(workers);
                AtomicInteger done = new AtomicInteger();
                try {
                    while (true) {
                        done.set(0);
                        region.add((from, to, scratch) -> done.addAndGet(to - from), 20, 30_000);
                        begun.incrementAndGet();
                        region.run();
                        if (done.get() != 20) failure.set(new AssertionError(done + " units"));
                    }
                } catch (IllegalStateException e) {
                    if (done.get() != 0) failure.set(new AssertionError("closed in the middle of a region"));
                }
            });
            while (begun.get() == 0) Thread.onSpinWait();
            for (int i = random.nextInt(20_000); i > 0; i--) Thread.onSpinWait();
            workers.close();
            driver.join();
            if (failure.get() != null) throw new AssertionError("seed " + seed + ", round " + round, failure.get());
        }
    }
}
