package io.github.kvern.engine.run;

import io.github.kvern.StopReason;
import io.github.kvern.engine.layer.Step;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// One thing that a caller asked for. The driver alone moves it; callers cancel it and wait for its end.
public abstract sealed class Job permits GenerateJob, ScoreJob {
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile @Nullable StopReason cancelled;
    private volatile @Nullable StopReason reason;
    private volatile @Nullable RuntimeException failure;
    private int rows;
    private int wanted;

    /// Whether it has rows for a step and room for what comes of them.
    abstract boolean ready();

    /// How many rows it could add to a step.
    abstract int pending();

    /// Makes room in the cache and adds up to `rows` rows, at least one.
    ///
    /// @param rows 1 to [#pending()]
    /// @throws io.github.kvern.gguf.MemoryBudgetException the cache is full; no row was added
    abstract void fill(Step step, int rows);

    /// The step is done: that many rows are in the cache.
    abstract void advance(int rows);

    /// Takes wanted logits, in the order of the rows that wanted them.
    abstract void logits(float[] logits, int at);

    /// All logits of a step were taken.
    abstract void settle();

    /// Told of the end, on the driver's thread, before anybody waiting is.
    abstract void ended(@Nullable RuntimeException failure);

    /// Adds rows and remembers how many.
    final void contribute(Step step, int rows) {
        int wantedBefore = step.wantedCount(), rowsBefore = step.count();
        this.rows = 0;
        fill(step, rows);
        this.rows = step.count() - rowsBefore;
        this.wanted = step.wantedCount() - wantedBefore;
    }

    final int rows() {
        return rows;
    }

    final int wanted() {
        return wanted;
    }

    /// Asks the driver to end it. From any thread; the first reason counts.
    final void requestEnd(StopReason why) {
        if (cancelled == null) cancelled = why;
    }

    final @Nullable StopReason requestedEnd() {
        return cancelled;
    }

    /// Ends it. On the driver's thread.
    final void finish(StopReason why, @Nullable RuntimeException failure) {
        if (isDone()) return;
        reason = why;
        this.failure = failure;
        ended(failure);
        done.countDown();
    }

    /// Whether the driver will not touch it any more.
    public final boolean isDone() {
        return done.getCount() == 0;
    }

    /// Waits until the driver will not touch it any more; an interrupt does not end the waiting, but is kept.
    public final void join() {
        boolean interrupted = false;
        while (true) {
            try {
                done.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /// Waits for the end.
    ///
    /// @throws RuntimeException what ended it, if it failed
    public final StopReason await() {
        join();
        RuntimeException f = failure;
        if (f != null) throw f;
        StopReason why = reason;
        return why == null ? StopReason.CANCELLED : why;
    }
}
