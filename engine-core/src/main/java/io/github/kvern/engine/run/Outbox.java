package io.github.kvern.engine.run;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What the driver has made and its reader has not taken yet. The driver never waits here: it asks for room first, and is told when
/// there is some again. Readers may be virtual threads.
///
/// @param <T> what is handed over
public final class Outbox<T> {
    private final int capacity;
    private final Runnable onRoom;
    final ReentrantLock lock = new ReentrantLock(); // a test holds it
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<T> items;
    private boolean starved; // the driver asked for room and found none
    private boolean ended;
    private @Nullable RuntimeException failure;

    /// @param capacity items from which on there is no room
    /// @param onRoom called by the reader when there is room again and the driver found none before
    Outbox(int capacity, Runnable onRoom) {
        this.capacity = capacity;
        this.onRoom = onRoom;
        this.items = new ArrayDeque<>(capacity + 1);
    }

    /// Whether the driver may make one more.
    ///
    /// @param heldBack items that were made and will be put before it
    boolean hasRoom(int heldBack) {
        lock.lock();
        try {
            boolean room = items.size() + heldBack < capacity;
            if (!room) starved = true;
            return room;
        } finally {
            lock.unlock();
        }
    }

    /// Hands an item over. After the end it is dropped.
    void put(T item) {
        lock.lock();
        try {
            if (ended) return;
            items.add(item);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Nothing comes after what is in here. That is still taken; then the reader gets the failure, if there is one.
    void end(@Nullable RuntimeException failure) {
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
    /// @throws RuntimeException what made it fail, at the end
    public @Nullable T take() throws InterruptedException {
        T item;
        boolean wake;
        lock.lockInterruptibly();
        try {
            while (items.isEmpty() && !ended) changed.await();
            item = items.poll();
            if (item == null && failure != null) throw failure;
            wake = starved && !ended;
            starved = false;
        } finally {
            lock.unlock();
        }
        if (wake) onRoom.run();
        return item;
    }
}
