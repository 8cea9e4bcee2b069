package io.github.kvern.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class WaitingTest {
    @Test
    void anInterruptIsKeptAndToldOnce() {
        CountDownLatch over = new CountDownLatch(1);
        int[] told = new int[1];
        Thread.currentThread().interrupt();
        String came = Waiting.out(() -> {
            over.await();
            return "it";
        }, () -> {
            told[0]++;
            over.countDown();
        });
        assertEquals("it", came);
        assertEquals(1, told[0]);
        assertTrue(Thread.interrupted(), "kept");
    }

    @Test
    void withoutOneNothingIsTold() {
        assertEquals(3, Waiting.out(() -> 3, () -> {
            throw new AssertionError("no interrupt");
        }));
        assertFalse(Thread.interrupted());
    }

    @Test
    void anInterruptIsKeptWhenTheWaitingFails() {
        boolean[] first = {true};
        assertThrows(IllegalStateException.class, () -> Waiting.out(() -> {
            if (first[0]) throw new InterruptedException();
            throw new IllegalStateException();
        }, () -> first[0] = false));
        assertTrue(Thread.interrupted(), "kept");
    }

    @Test
    void aThreadIsWaitedForAllTheSame() {
        CountDownLatch go = new CountDownLatch(1);
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread waiting = Thread.currentThread();
        Thread.ofPlatform().start(() -> {
            waiting.interrupt();
            go.countDown();
        });
        Waiting.forEnd(other);
        assertFalse(other.isAlive());
        while (!Thread.interrupted()) Thread.onSpinWait(); // perhaps it comes only now
        Waiting.forEnd(new Thread(() -> {
        }));
    }
}
