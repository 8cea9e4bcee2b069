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
            try (WarmUp warmUp = new WarmUp(all, warnings::add, 1)) {
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
        })), warnings::add, TimeUnit.MINUTES.toNanos(2));
        assertTrue(runs.await(2, TimeUnit.MINUTES));
        try (WarmUp second = new WarmUp(List.of(new Exercise("fast there", warmth, () -> FAST)), warnings::add,
                TimeUnit.MINUTES.toNanos(2))) {
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
        })), warnings::add, 1)) {
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
        slow.begin();
        slow.giveUp();
        BlockingQueue<String> warnings = new LinkedBlockingQueue<>();
        List<Exercise> all = List.of(new Exercise("the slow one", slow, () -> SLOW), new Exercise("over a short file", unread, () -> {
            throw new InternalError("a fault occurred in an unsafe memory access operation"); // as the JVM says it
        }));
        try (WarmUp warmUp = new WarmUp(all, warnings::add, Long.MAX_VALUE)) {
            assertTrue(warmUp.await(LONG));
            assertEquals(List.of("the slow one", "over a short file"), warmUp.problems(), "it did not become fast either");
        }
        assertFalse(unread.isCold(), "vector code from now on");
        String warning = warnings.remove();
        assertTrue(warning.contains("the slow one") && !warning.contains("over a short file"), warning);
        assertTrue(warnings.isEmpty(), warnings::toString);
    }
}
