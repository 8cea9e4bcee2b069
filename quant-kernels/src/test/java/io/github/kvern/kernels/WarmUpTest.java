package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/// What a warm-up says of code that never becomes fast, and who goes on when another leaves off.
final class WarmUpTest {
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final long FAST = Long.MAX_VALUE / 2; // multiply-adds in no time
    private static final long SLOW = 0;

    @Test
    void whatIsGivenUpStaysInPlainLoopsAndIsNamed() throws InterruptedException {
        Warmth slow = new Warmth(), fast = new Warmth();
        List<Exercise> all = List.of(new Exercise("the slow one", slow, () -> SLOW), new Exercise("the fast one", fast, () -> FAST));
        for (int round = 0; round < 2; round++) { // who comes later is told, too
            BlockingQueue<String> warnings = new LinkedBlockingQueue<>();
            try (WarmUp warmUp = new WarmUp(all, warnings::add, 1, 0, 0)) {
                assertTrue(warmUp.await(LONG));
                assertEquals(List.of("the slow one"), warmUp.problems());
                String warning = warnings.remove();
                assertTrue(warning.contains("the slow one") && !warning.contains("the fast one"), warning);
                assertTrue(warnings.isEmpty());
            }
            assertTrue(slow.isCold());
            assertFalse(fast.isCold());
        }
    }

    @Test
    void whatAnotherLeftOffIsTakenOver() throws InterruptedException {
        Warmth warmth = new Warmth();
        CountDownLatch runs = new CountDownLatch(1);
        BlockingQueue<String> warnings = new LinkedBlockingQueue<>();
        WarmUp first = new WarmUp(List.of(new Exercise("slow here", warmth, () -> {
            runs.countDown();
            return SLOW;
        })), warnings::add, TimeUnit.MINUTES.toNanos(2), 0, 0);
        assertTrue(runs.await(2, TimeUnit.MINUTES));
        try (WarmUp second = new WarmUp(List.of(new Exercise("fast there", warmth, () -> FAST)), warnings::add,
                TimeUnit.MINUTES.toNanos(2), 0, 0)) {
            assertTrue(warmth.isCold());
            assertFalse(second.await(Duration.ofMillis(1)), "the first is at work on it");
            first.close();
            assertTrue(second.await(LONG));
            assertEquals(List.of(), second.problems());
            assertFalse(warmth.isCold());
        }
        assertTrue(warnings.isEmpty(), warnings::toString);
    }

    @Test
    void anExceptionEndsItAndIsToldOf() throws InterruptedException {
        Warmth warmth = new Warmth();
        BlockingQueue<String> warnings = new LinkedBlockingQueue<>();
        try (WarmUp warmUp = new WarmUp(List.of(new Exercise("broken", warmth, () -> {
            throw new IllegalStateException();
        })), warnings::add, 1, 0, 0)) {
            assertTrue(warmUp.await(LONG));
            assertEquals(List.of("broken"), warmUp.problems());
        }
        assertFalse(warmth.isCold(), "vector code from now on");
        String warning = warnings.remove();
        assertTrue(warning.contains("broken") && warning.contains("IllegalStateException"), warning);
        assertFalse(warning.contains("not compiled"), warning);
        assertTrue(warnings.isEmpty(), warnings::toString);
    }

    @Test
    void memoryThatCannotBeReadIsNotTheCompilersFault() throws InterruptedException {
        Warmth slow = new Warmth(), unread = new Warmth();
        slow.begin(0);
        slow.giveUp();
        BlockingQueue<String> warnings = new LinkedBlockingQueue<>();
        List<Exercise> all = List.of(new Exercise("the slow one", slow, () -> SLOW), new Exercise("over a short file", unread, () -> {
            throw new InternalError("a fault occurred in an unsafe memory access operation"); // as the JVM says it
        }));
        try (WarmUp warmUp = new WarmUp(all, warnings::add, Long.MAX_VALUE, 0, 0)) {
            assertTrue(warmUp.await(LONG));
            assertEquals(List.of("the slow one", "over a short file"), warmUp.problems(), "it did not become fast either");
        }
        assertFalse(unread.isCold(), "vector code from now on");
        String warning = warnings.remove();
        assertTrue(warning.contains("the slow one") && !warning.contains("over a short file"), warning);
        assertTrue(warnings.isEmpty(), warnings::toString);
    }

    @Test
    void aLargeProductWaitsUntilTheCodeIsCompiled() throws InterruptedException {
        Warmth warmth = new Warmth();
        assertFalse(warmth.staysCold(1), "nobody warms it up");
        warmth.begin(LONG.toNanos());
        BlockingQueue<Boolean> cold = new LinkedBlockingQueue<>();
        Thread product = Thread.ofPlatform().start(() -> cold.add(warmth.staysCold(1)));
        while (!warmth.isWanted()) Thread.sleep(1);
        assertTrue(cold.isEmpty(), "it waits");
        warmth.warm();
        product.join();
        assertFalse(cold.remove());
    }

    @Test
    void itWaitsNoLongerThanItIsToldTo() throws InterruptedException {
        Warmth patient = new Warmth(), never = new Warmth(), given = new Warmth();
        patient.begin(1);
        never.begin(0);
        given.begin(LONG.toNanos());
        given.giveUp();
        assertTrue(patient.staysCold(1) && never.staysCold(1) && given.staysCold(1), "plain loops");
        Warmth interrupted = new Warmth();
        interrupted.begin(LONG.toNanos());
        Thread.currentThread().interrupt();
        assertTrue(interrupted.staysCold(1));
        assertTrue(Thread.interrupted(), "is kept");
    }

    @Test
    void whatAProductWaitsForComesFirst() throws InterruptedException {
        Warmth waited = new Warmth(), other = new Warmth();
        AtomicInteger runs = new AtomicInteger(), others = new AtomicInteger();
        List<Exercise> all = List.of(new Exercise("other", other, () -> slowly(others)),
                new Exercise("waited for", waited, () -> slowly(runs)));
        try (WarmUp warmUp = new WarmUp(all, w -> {}, LONG.toNanos(), 0, LONG.toNanos())) {
            Thread product = Thread.ofPlatform().start(() -> {
                while (!waited.isCold()) Thread.onSpinWait();
                waited.staysCold(1);
            });
            while (!waited.isWanted()) Thread.sleep(1);
            await(runs, runs.get() + 10); // several turns
            int before = others.get();
            await(runs, runs.get() + 10);
            assertEquals(before, others.get());
            waited.warm();
            product.join();
            assertFalse(warmUp.isDone());
        }
        assertFalse(other.isCold());
    }

    @Test
    void aDelayEndsWhenSomebodyWaitsOrHasManyColumns() throws InterruptedException {
        Warmth fast = new Warmth();
        AtomicInteger runs = new AtomicInteger();
        List<Exercise> all = List.of(new Exercise("fast", fast, () -> {
            runs.incrementAndGet();
            return FAST;
        }));
        try (WarmUp warmUp = new WarmUp(all, w -> {}, 1, Long.MAX_VALUE, 0)) {
            assertTrue(fast.staysCold(1), "plain loops");
            assertFalse(fast.isWanted());
            assertEquals(0, runs.get());
            assertTrue(warmUp.await(LONG));
        }
        assertFalse(fast.isCold());
        fast.stop();
        try (WarmUp warmUp = new WarmUp(all, w -> {}, 1, Long.MAX_VALUE, 0)) {
            assertTrue(fast.staysCold(512), "plain loops");
            while (!warmUp.isDone()) Thread.sleep(1);
        }
        fast.stop();
        new WarmUp(all, w -> {}, 1, Long.MAX_VALUE, 0).close();
        assertFalse(fast.isCold(), "vector code from now on");
    }

    private static long slowly(AtomicInteger runs) {
        runs.incrementAndGet();
        LockSupport.parkNanos(1_000_000);
        return SLOW;
    }

    private static void await(AtomicInteger count, int goal) throws InterruptedException {
        while (count.get() < goal) Thread.sleep(1);
    }
}
