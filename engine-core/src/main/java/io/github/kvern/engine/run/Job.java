package io.github.kvern.engine.run;

import io.github.kvern.StopReason;
import io.github.kvern.engine.layer.Step;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One thing that a caller asked for. It has two ends: it is done, at once and on whatever thread says so (the driver, because there is
/// no more to do; a caller, who cancels), and then its reader gets nothing more; and it is released, when the driver has let go of its
/// part of the cache, which is when the step that it was in is over.
public abstract sealed class Job permits GenerateJob, ScoreJob {
    /// Guards what is handed out against the end.
    private final ReentrantLock lock = new ReentrantLock();
    private final CountDownLatch done = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile @Nullable StopReason reason;
    private volatile @Nullable RuntimeException failure;
    private boolean begun;
    private int rows;
    private int wanted;

    /// Called once on the driver's thread, when nothing else uses its part of the cache.
    abstract void begin();

    /// Whether there is room for what comes of a step. Under the lock.
    abstract boolean hasRoom();

    /// How many rows it could add to a step.
    abstract int pending();

    /// Makes room in the cache and adds up to `rows` rows, at least one.
    ///
    /// @param rows 1 to [#pending()]
    /// @throws io.github.kvern.gguf.MemoryBudgetException the cache is full; no row was added
    abstract void fill(Step step, int rows);

    /// The step is over: that many rows are in the cache.
    abstract void advance(int rows);

    /// Takes wanted logits, in the order of the rows that wanted them. Under the lock, and not after the end.
    abstract void logits(float[] logits, int at);

    /// All logits of a step were taken. Under the lock, and not after the end.
    abstract void settle();

    /// Puts out what is held back. Called once, under the lock, before anybody is told of the end.
    ///
    /// @return why it ended: what was held back may change that
    abstract StopReason flush(StopReason why);

    /// Told of the end. Called once, under the lock, before anybody who waits.
    abstract void ended(StopReason why, @Nullable RuntimeException failure);

    /// Where its results go.
    abstract Outbox<?> results();

    /// The cache had no room for it: whatever it holds there is for others.
    abstract void forget();

    /// Called once on the driver's thread, when that will not touch it any more.
    ///
    /// @param now ascends from job to job
    abstract void free(long now);

    /// Before anything else.
    final void start() {
        if (begun) return;
        begun = true;
        begin();
    }

    final boolean ready() {
        lock.lock();
        try {
            return !isDone() && hasRoom();
        } finally {
            lock.unlock();
        }
    }

    /// Adds rows and remembers how many.
    final void contribute(Step step, int rows) {
        int wantedBefore = step.wantedCount(), rowsBefore = step.count();
        fill(step, rows);
        this.rows = step.count() - rowsBefore;
        this.wanted = step.wantedCount() - wantedBefore;
    }

    /// Rows in the step.
    final int rows() {
        return rows;
    }

    /// Of these, how many want logits.
    final int wanted() {
        return wanted;
    }

    /// Hands logits over, unless it has ended. A failure ends it.
    final void deliver(float[] logits, int at) {
        lock.lock();
        try {
            if (!isDone()) logits(logits, at);
        } catch (RuntimeException e) {
            end(StopReason.CANCELLED, e);
        } finally {
            lock.unlock();
        }
    }

    /// After the last logits of a step.
    final void delivered() {
        lock.lock();
        try {
            if (!isDone()) settle();
        } finally {
            lock.unlock();
        }
    }

    /// Ends it, from any thread; the first end counts.
    ///
    /// @param cause what the reader gets when it has taken everything
    final void end(StopReason why, @Nullable RuntimeException cause) {
        lock.lock();
        try {
            if (isDone()) return;
            StopReason last = why;
            RuntimeException thrown = cause;
            try {
                last = flush(why);
                ended(last, cause);
            } catch (RuntimeException e) {
                if (thrown == null) thrown = e;
            }
            failure = thrown;
            reason = last;
            done.countDown(); // before the reader's end: who has read everything may ask for the next answer
            results().end(thrown);
        } finally {
            lock.unlock();
        }
    }

    /// Lets go of it. On the driver's thread.
    final void release(long now) {
        try {
            free(now);
        } finally {
            released.countDown();
        }
    }

    /// Whether it has ended.
    public final boolean isDone() {
        return done.getCount() == 0;
    }

    /// Why it ended; waits for that.
    ///
    /// @throws RuntimeException what made it fail
    public final StopReason await() throws InterruptedException {
        done.await();
        RuntimeException f = failure;
        if (f != null) throw f;
        StopReason why = reason;
        return why == null ? StopReason.CANCELLED : why;
    }

    /// Waits until the driver will not touch it any more; an interrupt does not end the waiting, but is kept.
    public final void awaitRelease() {
        Waiting.out(() -> {
            released.await();
            return released;
        }, () -> {
        });
    }
}
