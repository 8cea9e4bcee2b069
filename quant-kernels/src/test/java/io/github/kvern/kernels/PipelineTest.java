package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
final class PipelineTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_261_121);
    private static final long LARGE = 1_000_000;

    /// Chains of random length over random gates: every unit runs once, and none before all that it waits for.
    @Test
    void nothingRunsBeforeItsGateIsOpen() {
        for (int threads = 1; threads <= 5; threads++) {
            try (Workers workers = new Workers(threads)) {
                Region region = new Region(workers);
                Pipeline line = new Pipeline();
                for (int round = 0; round < 200; round++) {
                    SplittableRandom random = new SplittableRandom(SEED + round);
                    int chains = 1 + random.nextInt(30), jobs = 1 + random.nextInt(4), most = 1 + random.nextInt(40);
                    AtomicIntegerArray done = new AtomicIntegerArray(chains * jobs);
                    int[] sizes = new int[chains * jobs], gates = new int[chains * jobs];
                    AtomicInteger early = new AtomicInteger(), last = new AtomicInteger();
                    int all = line.gate();
                    for (int i = 0; i < sizes.length; i++) {
                        sizes[i] = 1 + random.nextInt(most);
                        gates[i] = line.gate();
                    }
                    for (int job = 0; job < jobs; job++) {
                        boolean finish = job == jobs - 1;
                        for (int chain = 0; chain < chains; chain++) {
                            int at = chain * jobs + job, before = job == 0 ? -1 : at - 1;
                            Pipeline.Work work = (part, from, to, scratch) -> {
                                if (part != at || before >= 0 && done.get(before) != sizes[before]) early.incrementAndGet();
                                done.addAndGet(at, to - from);
                            };
                            line.add(work, at, sizes[at], random.nextBoolean() ? LARGE : 1, before < 0 ? Pipeline.OPEN : gates[before],
                                    finish ? all : gates[at]);
                        }
                    }
                    line.add((part, from, to, scratch) -> {
                        for (int chain = 0; chain < chains; chain++)
                            if (done.get(chain * jobs + jobs - 1) != sizes[chain * jobs + jobs - 1]) early.incrementAndGet();
                        last.addAndGet(to - from);
                    }, 0, 3, LARGE, all, Pipeline.OPEN);
                    line.run(region);
                    assertEquals(0, early.get(), "seed " + (SEED + round) + ", " + threads + " threads");
                    for (int i = 0; i < sizes.length; i++) assertEquals(sizes[i], done.get(i), "job " + i + ", seed " + (SEED + round));
                    assertEquals(3, last.get());
                }
            }
        }
    }

    /// Who finds the next job in the line closed goes on to one that is open.
    @Test
    void aClosedJobHoldsUpNobodyElse() throws InterruptedException {
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger passed = new AtomicInteger();
        try (Workers workers = new Workers(2)) {
            Pipeline line = new Pipeline();
            int slow = line.gate();
            line.add((part, from, to, scratch) -> {
                if (!await(release)) throw new IllegalStateException("nobody passed");
            }, 0, 1, LARGE, Pipeline.OPEN, slow);
            line.add((part, from, to, scratch) -> assertEquals(20, passed.get()), 0, 5, LARGE, slow, Pipeline.OPEN);
            line.add((part, from, to, scratch) -> {
                if (passed.addAndGet(to - from) == 20) release.countDown();
            }, 0, 20, LARGE, Pipeline.OPEN, Pipeline.OPEN);
            line.run(new Region(workers));
        }
        assertEquals(20, passed.get());
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Test
    void aFailureReachesTheCallerAndLeavesNobodyWaiting() {
        try (Workers workers = new Workers(3)) {
            Region region = new Region(workers);
            Pipeline line = new Pipeline();
            for (int round = 0; round < 60; round++) {
                int bad = round;
                RuntimeException failure = new RuntimeException("unit " + bad);
                AtomicInteger after = new AtomicInteger();
                int gate = line.gate();
                line.add((part, from, to, scratch) -> {
                    if (from <= bad && bad < to) throw failure;
                }, 0, 60, LARGE, Pipeline.OPEN, gate);
                line.add((part, from, to, scratch) -> after.incrementAndGet(), 0, 60, LARGE, gate, Pipeline.OPEN);
                assertSame(failure, assertThrows(RuntimeException.class, () -> line.run(region)));
                assertEquals(0, after.get());
                AtomicInteger done = new AtomicInteger();
                line.add((part, from, to, scratch) -> done.addAndGet(to - from), 0, 60, LARGE, Pipeline.OPEN, Pipeline.OPEN);
                line.run(region);
                assertEquals(60, done.get());
            }
            line.run(region); // nothing to do
        }
    }

    /// Products of a pipeline have the bits of a region's, whatever is made of the columns and by whom.
    @ParameterizedTest
    @CsvSource({"F32, EXACT, false", "Q8_0, EXACT, false", "Q4_K, FAST, false", "F16, FAST, false", "Q4_K, FAST, true", "Q6_K, FAST, true",
            "Q8_0, FAST, true", "IQ3_S, FAST, false"})
    void productsAreThoseOfARegion(TensorType type, Precision precision, boolean packs) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        int experts = 5, rows = 150, k = 512;
        int[] boundaries = {0, 1, 4, 4, 13, 40};
        MemorySegment bytes = Blocks.random(type, experts * rows, k, random);
        float[] values = Blocks.gaussian(40 * k, random);
        try (Arena arena = Arena.ofShared(); Workers workers = new Workers(3)) {
            Region region = new Region(workers);
            Matrix mapped = Kernels.best().matrix(type, bytes, rows, k, experts, precision);
            Matrix w = packs ? mapped.packed(arena, workers) : mapped;
            Activation x = new Activation(k, 40);
            x.reset(40);
            x.segment(boundaries, 5);
            System.arraycopy(values, 0, x.values(), 0, values.length);
            float[] expected = new float[40 * rows];
            for (int s = 0; s < 5; s++) region.multiply(w, 4 - s, x, s, expected, boundaries[s] * rows, rows);
            region.run();
            Pipeline line = new Pipeline();
            for (int round = 0; round < 3; round++) {
                Activation y = round == 0 ? x : new Activation(k, 40); // the first time all forms are there, and made again
                if (y != x) {
                    y.reset(40);
                    y.segment(boundaries, 5);
                }
                float[] found = new float[40 * rows];
                for (int s = 0; s < 5; s++) {
                    int segment = s, first = boundaries[s], n = boundaries[s + 1] - first, copied = line.gate(), ready = line.gate();
                    line.add((part, from, to, scratch) -> System.arraycopy(values, (first + from) * k, y.values(), (first + from) * k,
                            (to - from) * k), 0, n, 1, Pipeline.OPEN, copied);
                    line.prepare(w, y, s, copied, ready);
                    line.prepare(w, y, s, copied, ready);
                    int unit = w.unitRows(n);
                    line.add((part, from, to, scratch) -> w.multiply(4 - part, from * unit, Math.min(rows, to * unit), y, part, found,
                            first * rows, rows, scratch), segment, n == 0 ? 0 : Math.ceilDiv(rows, unit), w.rowCost(n) * unit, ready,
                            Pipeline.OPEN);
                }
                line.run(region);
                assertArrayEquals(expected, found, type + ", round " + round + ", seed " + SEED);
            }
            assertFalse(expected[0] == 0 && expected[1] == 0);
        }
    }

    @Test
    void refusesRowsThatAreNotThere() {
        Matrix w = Kernels.best().matrix(TensorType.F32, Blocks.random(TensorType.F32, 80, 8, new SplittableRandom(1)), 40, 8, 2,
                Precision.EXACT);
        Activation x = new Activation(8, 1), wide = new Activation(9, 1);
        x.reset(1);
        wide.reset(1);
        WorkerScratch scratch = new WorkerScratch(0);
        float[] out = new float[40];
        int[][] wrong = {{2, 0, 40, 0}, {-1, 0, 40, 0}, {0, 16, 40, 0}, {0, 0, 41, 0}, {0, 0, 16, 0}, {0, -32, 40, 0}, {0, 0, 40, 1}};
        for (int[] a : wrong)
            assertThrows(IllegalArgumentException.class, () -> w.multiply(a[0], a[1], a[2], x, a[3], out, 0, 40, scratch));
        assertThrows(IllegalArgumentException.class, () -> w.multiply(0, 0, 40, wide, 0, out, 0, 40, scratch));
        assertTrue(w.unitRows(1) >= 32 && w.rowCost(1) > 0);
    }
}
