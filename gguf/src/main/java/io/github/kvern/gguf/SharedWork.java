package io.github.kvern.gguf;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.function.IntToLongFunction;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Numbered tasks that some threads share, each taking the next; the thread that asks is one of them, and can be interrupted.
final class SharedWork {
    private static final long TOLD_EVERY_MILLIS = 50;

    private final int count;
    private final IntConsumer task;
    private final IntToLongFunction bytes;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong done = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /// @param count of the tasks, from 0
    /// @param bytes what the progress of a task is
    SharedWork(int count, IntConsumer task, IntToLongFunction bytes) {
        this.count = count;
        this.task = task;
        this.bytes = bytes;
    }

    /// Does all of them, or as many as are begun until one fails or this thread is interrupted. No thread is left behind.
    void run(int threads, LongConsumer progress) throws InterruptedException {
        List<Thread> others = new ArrayList<>();
        boolean whole = false;
        try {
            for (int i = 1; i < Math.min(threads, count); i++)
                others.add(Thread.ofPlatform().daemon().name("kvern-prefault-" + i).start(this::takeAll));
            while (takeOne()) {
                if (Thread.interrupted()) throw new InterruptedException("interrupted while pages were brought in");
                progress.accept(done.get());
            }
            for (Thread other : others)
                while (!other.join(Duration.ofMillis(TOLD_EVERY_MILLIS))) progress.accept(done.get());
            if (Thread.interrupted()) throw new InterruptedException("interrupted while pages were brought in");
            whole = true;
        } finally {
            if (!whole) next.set(count);
            awaitAll(others);
        }
        if (failure.get() instanceof RuntimeException e) throw e;
        if (failure.get() instanceof Error e) throw e;
        progress.accept(done.get());
    }

    private static void awaitAll(List<Thread> others) {
        boolean interrupted = false;
        for (Thread other : others) {
            while (other.isAlive()) {
                try {
                    other.join();
                } catch (InterruptedException e) { // they are at their last task: nobody may unmap its memory before
                    interrupted = true;
                }
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    private void takeAll() {
        while (takeOne());
    }

    private boolean takeOne() {
        int i = next.getAndUpdate(n -> Math.min(n + 1, count));
        if (i >= count) return false;
        try {
            task.accept(i);
            done.addAndGet(bytes.applyAsLong(i));
            return true;
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
            next.set(count);
            return false;
        }
    }
}
