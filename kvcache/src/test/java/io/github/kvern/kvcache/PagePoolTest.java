package io.github.kvern.kvcache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// Pages, budgets, and going back.
class PagePoolTest {
    private static final KvLayout FULL = new KvLayout(2, 1, 8, 8, TensorType.F32, Visible.ALL); // 8 KiB a page
    private static final KvLayout CHUNKED = new KvLayout(1, 1, 8, 8, TensorType.F16, Visible.chunk(128)); // 2 KiB a page

    private static float[][] run(PagePool pool, Talk talk, Sequence sequence, int... steps) {
        try (Workers workers = new Workers(1)) {
            return talk.run(pool, new Attention(Kernels.best(), pool), new Region(workers), sequence, 0, steps);
        }
    }

    @Test
    void countsBytes() {
        try (PagePool pool = new PagePool(List.of(FULL, CHUNKED), 100_000)) {
            assertEquals(8192, pool.pageBytes(0));
            assertEquals(2048, pool.pageBytes(1));
            assertEquals(100_000, pool.budgetBytes());
            Sequence s = pool.sequence();
            s.reserve(0);
            assertEquals(0, pool.usedBytes());
            s.reserve(1);
            assertEquals(10_240, pool.usedBytes());
            s.reserve(64);
            assertEquals(10_240, pool.usedBytes());
            s.reserve(65);
            assertEquals(20_480, pool.usedBytes());
            assertEquals(0, s.length());
            s.advance(65);
            assertEquals(65, s.length());
            s.reserve(64);
            assertEquals(30_720, pool.usedBytes());
            s.close();
            s.close();
            assertEquals(0, pool.usedBytes());
        }
    }

    @Test
    void refusesABudgetThatHoldsNothing() {
        MemoryBudgetException e = assertThrows(MemoryBudgetException.class, () -> new PagePool(List.of(FULL, CHUNKED), 10_239));
        assertTrue(e.getMessage().contains("-c") && e.getMessage().contains("--kv"), e.getMessage());
        new PagePool(List.of(FULL, CHUNKED), 10_240).close();
    }

    @Test
    void anExhaustedBudgetLosesNothing() {
        try (PagePool pool = new PagePool(List.of(FULL), 3 * 8192)) {
            Talk a = new Talk(FULL, 2, 150, 1), b = new Talk(FULL, 2, 100, 2);
            Sequence first = pool.sequence(), second = pool.sequence();
            float[][] outA = run(pool, a, first, 100);
            MemoryBudgetException e = assertThrows(MemoryBudgetException.class, () -> second.reserve(100));
            assertFalse(e.getMessage().contains("\n"));
            assertTrue(e.getMessage().contains("-c") && e.getMessage().contains("0.0 MiB"), e.getMessage());
            assertEquals(2 * 8192, pool.usedBytes());
            second.reserve(64);
            assertThrows(MemoryBudgetException.class, () -> first.reserve(29));
            assertEquals(100, first.length());
            second.close();
            float[][] rest = run(pool, a, first, 50);
            for (int l = 0; l < 2; l++) System.arraycopy(outA[l], 0, rest[l], 0, 100 * a.outWidth());
            AttentionTest.assertSame(a.run(1, 150), rest, "after a refusal");
            first.close();
            AttentionTest.assertSame(b.run(1, 100), run(pool, b, pool.sequence(), 40, 60), "in pages used before");
        }
    }

    /// Idle pages of one group make way for pages of another.
    @Test
    void pagesMakeWayForAnotherGroup() {
        try (PagePool pool = new PagePool(List.of(FULL, CHUNKED), 10 * 8192)) {
            for (int round = 0; round < 3; round++) {
                Sequence a = pool.sequence();
                a.reserve(8 * 64); // eight pages of both groups
                a.close();
                Sequence b = pool.sequence();
                for (int i = 0; i < 3; i++) {
                    b.reserve(128); // chunked pages go back chunk by chunk
                    b.advance(128);
                }
                assertEquals(6 * 8192, pool.usedBytes());
                b.reserve(64);
                assertEquals(7 * 8192 + 2048, pool.usedBytes());
                Sequence c = pool.sequence();
                assertThrows(MemoryBudgetException.class, () -> c.reserve(129));
                c.reserve(128);
                assertEquals(9 * 8192 + 3 * 2048, pool.usedBytes());
                assertTrue(pool.heldBytes() <= pool.budgetBytes(), "and idle ones " + pool.heldBytes());
                b.close();
                c.close();
            }
        }
    }

    /// Callers come and go on threads of their own; what is counted in the end is nothing.
    @Test
    void manyTakersAtOnce() throws InterruptedException {
        try (PagePool pool = new PagePool(List.of(FULL, CHUNKED), 6 * 10_240)) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            List<Thread> takers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                SplittableRandom random = new SplittableRandom(i);
                takers.add(Thread.ofPlatform().start(() -> {
                    try {
                        for (int round = 0; round < 5000 && failure.get() == null; round++) {
                            Sequence s = pool.sequence();
                            try {
                                for (int n = random.nextInt(3); n >= 0; n--) {
                                    int step = 1 + random.nextInt(100);
                                    s.reserve(step);
                                    s.advance(step);
                                }
                            } catch (MemoryBudgetException full) {
                                assertTrue(pool.usedBytes() >= 0);
                            }
                            s.close();
                        }
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                    }
                }));
            }
            for (Thread t : takers) t.join();
            if (failure.get() != null) throw new AssertionError(failure.get());
            assertEquals(0, pool.usedBytes());
            assertTrue(pool.heldBytes() <= pool.budgetBytes(), () -> pool.heldBytes() + " bytes");
        }
    }

    @Test
    void chunkedPagesGoBackAndResultsStay() {
        for (int chunk : new int[] {64, 128, 96, 100, 1000}) pagesGoBackAndResultsStay(Visible.chunk(chunk), chunk, 1100);
    }

    @Test
    void pagesThatAWindowHasPassedGoBackAndResultsStay() {
        for (int window : new int[] {1, 16, 64, 65, 100, 128, 300}) pagesGoBackAndResultsStay(Visible.window(window), window, 900);
    }

    /// @param seen positions that a position sees, at most
    private static void pagesGoBackAndResultsStay(Visible visible, int seen, int positions) {
        KvLayout layout = new KvLayout(1, 2, 16, 16, TensorType.F16, visible);
        int most = (seen + 62) / 64 + 1;
        Talk talk = new Talk(layout, 2, positions, seen);
        float[][] expected = talk.run(1, positions);
        try (PagePool pool = new PagePool(List.of(layout), (most + 1) * layout.pageBytes())) { // and one for the step
            SplittableRandom random = new SplittableRandom(seen);
            Sequence sequence = pool.sequence();
            float[][] actual = new float[1][expected[0].length];
            while (sequence.length() < positions) {
                int at = sequence.length(), step = Math.min(positions - at, 1 + random.nextInt(64));
                float[][] part = run(pool, talk, sequence, step);
                System.arraycopy(part[0], at * talk.outWidth(), actual[0], at * talk.outWidth(), step * talk.outWidth());
                assertTrue(pool.usedBytes() <= most * layout.pageBytes(), visible + " at " + sequence.length());
                boolean chunkEnds = visible.kind() == Visible.Kind.CHUNK && sequence.length() % seen == 0 && seen % 64 == 0;
                if (chunkEnds) assertEquals(0, pool.usedBytes(), visible + " at " + sequence.length());
            }
            AttentionTest.assertSame(expected, actual, visible.toString());
        }
    }

    @Test
    void goingBackEqualsNeverHavingGoneForward() {
        for (long seed = 1; seed <= 60; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Visible[] kinds = {Visible.ALL, Visible.chunk(64), Visible.chunk(96), Visible.chunk(100), Visible.chunk(33), Visible.window(1),
                    Visible.window(40), Visible.window(64), Visible.window(130)};
            KvLayout layout = new KvLayout(1, 1, 12, 12, TensorType.F32, kinds[random.nextInt(kinds.length)]);
            Talk first = new Talk(layout, 1, 400, seed), second = new Talk(layout, 1, 400, seed + 1000);
            try (PagePool pool = new PagePool(List.of(layout), 1 << 20)) {
                Sequence sequence = pool.sequence();
                run(pool, first, sequence, 1 + random.nextInt(200), 1 + random.nextInt(199));
                int back = random.nextInt(sequence.length() + 1), nearest = sequence.nearest(back);
                String what = "seed " + seed + ", " + layout.visible() + ", from " + sequence.length() + " back to " + back
                        + ", nearest " + nearest;
                if (nearest != back) {
                    assertThrows(IllegalArgumentException.class, () -> sequence.truncate(back), what);
                    assertEquals(layout.visible().kind() == Visible.Kind.WINDOW ? 0 : layout.firstVisible(back), nearest, what);
                }
                sequence.truncate(nearest);
                assertEquals(nearest, sequence.length(), what);
                // the same beginning, then another continuation
                for (int l = 0; l < 1; l++) {
                    System.arraycopy(first.k[l], 0, second.k[l], 0, nearest * 12);
                    System.arraycopy(first.v[l], 0, second.v[l], 0, nearest * 12);
                    System.arraycopy(first.q[l], 0, second.q[l], 0, nearest * 12);
                }
                float[][] expected = second.run(1, 400), actual = run(pool, second, sequence, 400 - nearest);
                System.arraycopy(expected[0], 0, actual[0], 0, nearest * 12);
                AttentionTest.assertSame(expected, actual, what);
                sequence.truncate(sequence.nearest(0));
                assertEquals(0, sequence.length(), what);
                assertEquals(0, pool.usedBytes(), what);
            }
        }
    }

    /// A group that sees less may force another back further.
    @Test
    void nearestAgreesForAllGroups() {
        KvLayout wide = new KvLayout(1, 1, 8, 8, TensorType.F32, Visible.chunk(192)),
                narrow = new KvLayout(1, 1, 8, 8, TensorType.F32, Visible.chunk(128));
        try (PagePool pool = new PagePool(List.of(narrow, wide), 1 << 20)) {
            Sequence s = pool.sequence();
            s.reserve(400);
            s.advance(400);
            assertEquals(400, s.nearest(400));
            assertEquals(390, s.nearest(390));
            assertEquals(0, s.nearest(300)); // narrow back to 256, wide from there to 192, narrow to 128, wide to 0
            assertEquals(384, s.nearest(384));
            assertThrows(IllegalArgumentException.class, () -> s.nearest(401));
            assertThrows(IllegalArgumentException.class, () -> s.truncate(-1));
        }
    }

    @Test
    void refusesTheWrongMoment() {
        PagePool pool = new PagePool(List.of(FULL), 1 << 20);
        Sequence s = pool.sequence();
        assertThrows(IllegalStateException.class, () -> s.advance(1));
        assertThrows(IllegalArgumentException.class, () -> s.reserve(-1));
        assertThrows(IllegalArgumentException.class, () -> s.reserve(Integer.MAX_VALUE));
        assertThrows(MemoryBudgetException.class, () -> s.reserve(Integer.MAX_VALUE - 64));
        s.reserve(10);
        s.close();
        assertThrows(IllegalStateException.class, () -> s.reserve(1));
        Sequence open = pool.sequence();
        open.reserve(1);
        pool.close();
        pool.close();
        assertEquals(0, pool.usedBytes());
        assertThrows(IllegalStateException.class, () -> open.reserve(100));
        open.close();
        assertEquals(0, pool.usedBytes());
    }

    @Test
    void layoutsAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> new KvLayout(0, 1, 8, 8, TensorType.F32, Visible.ALL));
        assertThrows(IllegalArgumentException.class, () -> new KvLayout(1, 1, 8, 0, TensorType.F32, Visible.ALL));
        assertThrows(IllegalArgumentException.class, () -> Visible.window(0));
        assertThrows(IllegalArgumentException.class, () -> new KvLayout(1, 1, 8, 8, TensorType.Q8_0, Visible.ALL));
        assertThrows(IllegalArgumentException.class, () -> new KvLayout(1, 1, 1 << 21, 8, TensorType.F16, Visible.ALL));
        assertThrows(IllegalArgumentException.class, () -> new PagePool(List.of(), 1 << 20));
    }
}
