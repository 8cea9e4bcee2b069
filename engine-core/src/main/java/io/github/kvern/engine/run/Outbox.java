package io.github.kvern.engine.run;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What the driver has made and its reader has not taken yet. The driver never waits here: it asks for room first. Readers may be
/// virtual threads.
///
/// @param <T> what is handed over
public final class Outbox<T> {
    private final int capacity;
    private final Runnable onRoom;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<T> items;
    private boolean ended;
    private @Nullable RuntimeException failure;

    /// @param capacity items from which on the driver is asked to do something else
    /// @param onRoom called by the reader when there is room again
    Outbox(int capacity, Runnable onRoom) {
        this.capacity = capacity;
        this.onRoom = onRoom;
        this.items = new ArrayDeque<>(capacity);
    }

    /// Whether the driver may go on.
    boolean hasRoom() {
        lock.lock();
        try {
            return items.size() < capacity;
        } finally {
            lock.unlock();
        }
    }

    /// Hands an item over.
    void put(T item) {
        lock.lock();
        try {
            items.add(item);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Nothing comes after what is in here.
    void end() {
        finish(null);
    }

    /// What is in here is still taken; then the reader gets the failure.
    void fail(RuntimeException failure) {
        finish(failure);
    }

    private void finish(@Nullable RuntimeException failure) {
        lock.lock();
        try {
            if (ended) return;
            ended = true;
            this.failure = failure;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Takes the next item; waits for it.
    ///
    /// @return null at the end
    public @Nullable T take() throws InterruptedException {
        T item;
        boolean room;
        lock.lockInterruptibly();
        try {
            while (items.isEmpty() && !ended) changed.await();
            room = items.size() == capacity;
            item = items.poll();
            if (item == null && failure != null) throw failure;
        } finally {
            lock.unlock();
        }
        if (room) onRoom.run();
        return item;
    }
}
