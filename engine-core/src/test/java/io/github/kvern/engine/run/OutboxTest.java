package io.github.kvern.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What passes from the driver to a reader, one step after the other: no outcome here hangs on who is faster.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OutboxTest {
    private final AtomicInteger wakes = new AtomicInteger();

    private Outbox<Integer> box(int capacity) {
        return new Outbox<>(capacity, wakes::incrementAndGet);
    }

    /// A reader of its own, that keeps what it took and how it ended.
    private static final class Reader {
        final List<Integer> taken = Collections.synchronizedList(new ArrayList<>());
        private volatile Throwable end = new AssertionError("it has not ended");
        private final Thread thread;

        Reader(Outbox<Integer> box) {
            thread = Thread.ofPlatform().start(() -> {
                try {
                    for (Integer next; (next = box.take()) != null;) taken.add(next);
                    end = new AssertionError("no failure");
                } catch (Throwable e) {
                    end = e;
                }
            });
        }

        /// Until it waits for the next item.
        Reader waits() {
            while (thread.getState() != Thread.State.WAITING) Thread.onSpinWait();
            return this;
        }

        Throwable end() throws InterruptedException {
            thread.join();
            return end;
        }
    }

    @Test
    void whatIsInIsTakenInOrderAndThenTheEnd() throws InterruptedException {
        Outbox<Integer> box = box(16);
        for (int i = 1; i <= 3; i++) box.put(i);
        box.end(null);
        for (int i = 1; i <= 3; i++) assertEquals(i, box.take());
        assertNull(box.take());
        assertNull(box.take());
    }

    @Test
    void aFailureComesAfterWhatIsIn() throws InterruptedException {
        Outbox<Integer> box = box(16);
        box.put(1);
        RuntimeException failure = new IllegalStateException("the step");
        box.end(failure);
        assertEquals(1, box.take());
        assertSame(failure, assertThrows(IllegalStateException.class, box::take));
        assertSame(failure, assertThrows(IllegalStateException.class, box::take), "and again");
    }

    @Test
    void theFirstEndCounts() throws InterruptedException {
        Outbox<Integer> box = box(16);
        box.end(null);
        box.end(new IllegalStateException("too late"));
        box.put(1);
        assertNull(box.take(), "after the end");
    }

    @Test
    void roomIsForSoManyAndNoMore() throws InterruptedException {
        for (int capacity : new int[] {1, 2, 16}) {
            Outbox<Integer> box = box(capacity);
            for (int i = 0; i < capacity; i++) {
                assertTrue(box.hasRoom(0), i + " of " + capacity);
                assertEquals(i + 1 < capacity, box.hasRoom(1), i + " of " + capacity + ", and one held back");
                box.put(i);
            }
            assertFalse(box.hasRoom(0));
            box.take();
            assertTrue(box.hasRoom(0));
        }
    }

    /// Once for each time that it found no room, and not when nothing more will come.
    @Test
    void theDriverIsWokenWhenItFoundNoRoom() throws InterruptedException {
        Outbox<Integer> box = box(1);
        box.put(1);
        box.take();
        assertEquals(0, wakes.get(), "it had room");
        box.put(2);
        assertFalse(box.hasRoom(0));
        box.take();
        assertEquals(1, wakes.get());
        box.put(3);
        box.take();
        assertEquals(1, wakes.get(), "it did not ask again");
        box.put(4);
        assertFalse(box.hasRoom(0));
        box.end(null);
        box.take();
        assertEquals(1, wakes.get(), "there is nothing more to come");
    }

    @Test
    void aReaderThatWaitsIsWoken() throws InterruptedException {
        Outbox<Integer> box = box(16);
        Reader reader = new Reader(box).waits();
        box.put(1);
        while (reader.taken.isEmpty()) Thread.onSpinWait();
        reader.waits();
        box.end(null);
        assertEquals("no failure", reader.end().getMessage());
        assertEquals(List.of(1), reader.taken);
    }

    @Test
    void allReadersThatWaitAreToldOfTheEnd() throws InterruptedException {
        Outbox<Integer> box = box(16);
        Reader one = new Reader(box).waits(), two = new Reader(box).waits();
        RuntimeException failure = new IllegalStateException("the step");
        box.end(failure);
        assertSame(failure, one.end());
        assertSame(failure, two.end());
    }

    @Test
    void anInterruptEndsTheWaiting() throws InterruptedException {
        Outbox<Integer> box = box(16);
        Reader waiting = new Reader(box).waits();
        waiting.thread.interrupt();
        assertEquals(InterruptedException.class, waiting.end().getClass());
        box.lock.lock(); // as somebody does who is in the middle of something
        try {
            Reader blocked = new Reader(box).waits();
            blocked.thread.interrupt();
            assertEquals(InterruptedException.class, blocked.end().getClass());
        } finally {
            box.lock.unlock();
        }
        box.put(1);
        assertEquals(1, box.take(), "nothing is lost");
    }
}
