package io.github.kvern.kernels;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A fixed team of platform threads with one cheap barrier. The thread that runs a region is worker 0; the others are daemons that
/// spin for a moment after a region and then park.
///
/// The line of units of a [WorkList] is cut in shares of equal cost, one a worker, always in the same places for the same work, so
/// that a worker finds the weights it read (and first touched) in the step before. A worker takes its share from the front, a piece
/// at a time; who runs dry takes from the tail of another's. A share is one 64-bit word, front and tail: taking a piece is one
/// compare-and-set, and only who succeeded may look at the list. The region ends when every unit was reported done: a worker whose
/// core was taken away before it claimed anything is not waited for. Who computes a unit has no influence on its result.
public final class Workers implements AutoCloseable {
    /// Work below this cost (multiply-adds) is done by the driver alone: waking others would take longer.
    private static final long ALONE = 50_000;
    private static final long SPIN_NANOS = 100_000;
    /// Longs between two words that different threads write: two cache lines.
    private static final int APART = 16;

    private final int threads;
    private final boolean computes;
    private final WorkerScratch[] scratch;
    private final TeamThread[] team;
    private final long spinNanos;
    private final ReentrantLock driving = new ReentrantLock();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    // Words that threads share, APART: shares 0 to threads-1, then who is parked likewise, then the three below.
    private final AtomicLongArray words;
    private final int epoch;
    private final int pending;
    private final int driverParked;

    private volatile @Nullable Thread driver;
    private volatile boolean closing; // no region begins any more
    private volatile boolean closed;
    private WorkList list = new WorkList(); // published by the write to the shares
    private int claimLimit = 1;

    /// @param threads 1 or more, the calling thread among them
    public Workers(int threads) {
        // A spinning thread without a core of its own only keeps another from working.
        this(threads, threads <= Runtime.getRuntime().availableProcessors() ? SPIN_NANOS : SPIN_NANOS / 50, true);
    }

    /// @param spinNanos how long a thread looks before it parks
    Workers(int threads, long spinNanos) {
        this(threads, spinNanos, true);
    }

    /// A team of nobody, with which a region prepares buffers and computes nothing: what a step leaves behind is then the room that
    /// it needs.
    public static Workers none() {
        return new Workers(1, 0, false);
    }

    private Workers(int threads, long spinNanos, boolean computes) {
        this.computes = computes;
        if (threads < 1) throw new IllegalArgumentException("threads must be at least 1, found " + threads);
        this.threads = threads;
        this.spinNanos = spinNanos;
        words = new AtomicLongArray((2 * threads + 4) * APART);
        epoch = (2 * threads + 1) * APART;
        pending = epoch + APART;
        driverParked = pending + APART;
        scratch = new WorkerScratch[threads];
        for (int i = 0; i < threads; i++) scratch[i] = new WorkerScratch(i);
        team = new TeamThread[threads - 1];
        for (int i = 0; i < team.length; i++) team[i] = new TeamThread(this, i + 1);
        startAll();
    }

    private void startAll() {
        boolean started = false;
        try {
            for (TeamThread t : team) t.start();
            started = true;
        } finally {
            if (!started) close(); // the system has no more threads: those that it had go back
        }
    }

    /// Workers in the team, the driver among them.
    public int threads() {
        return threads;
    }

    /// Whether work is done: false for [#none()].
    boolean compute() {
        return computes;
    }

    WorkerScratch scratch(int worker) {
        return scratch[worker];
    }

    /// Runs a list of work to its end, the calling thread being worker 0. A failure of a task is thrown here, after every worker
    /// has let go; what was not yet begun is then left out.
    void run(WorkList work) {
        if (Thread.currentThread() instanceof TeamThread t && t.workers == this || driving.isHeldByCurrentThread())
            throw new IllegalStateException("a task of a region cannot run a region of the same team");
        driving.lock();
        try {
            if (closing) throw new IllegalStateException("the workers are closed");
            if (work.units() == 0 || !computes) return;
            if (threads == 1 || work.units() == 1 || work.cost() < ALONE) alone(work);
            else share(work);
        } finally {
            driving.unlock();
        }
    }

    private void alone(WorkList work) {
        work.run(0, work.units(), scratch[0]);
        settle();
    }

    /// A fault of mapped memory becomes an [InternalError] at the next point where the JVM may stop this thread, not where it happened,
    /// and until then the code goes on with numbers that are none. Such a point is in this loop, which turns at least once: after it the
    /// error was thrown, or there was none.
    private void settle() {
        for (long seen = -1, now; (now = words.get(epoch)) != seen;) seen = now;
    }

    private void share(WorkList work) {
        list = work;
        claimLimit = work.claimLimit();
        driver = Thread.currentThread();
        words.set(pending, work.units());
        for (int i = 0; i < threads; i++) words.set(i * APART, (long) work.cut(i, threads) << 32 | work.cut(i + 1, threads));
        words.getAndIncrement(epoch);
        for (int i = 1; i < threads; i++) if (words.get((threads + i) * APART) != 0) LockSupport.unpark(team[i - 1]);
        work(0);
        awaitEnd();
        Throwable t = failure.getAndSet(null);
        if (t instanceof Error e) throw e;
        if (t instanceof RuntimeException e) throw e;
        if (t != null) throw new IllegalStateException(t);
    }

    private void awaitEnd() {
        long start = 0;
        for (int spins = 0; words.get(pending) != 0; spins++) {
            if ((spins & 63) != 63) {
                Thread.onSpinWait();
            } else if (start == 0) {
                start = System.nanoTime();
            } else if (System.nanoTime() - start > spinNanos) {
                words.set(driverParked, 1);
                if (words.get(pending) != 0) LockSupport.park(this);
                words.set(driverParked, 0);
            }
        }
    }

    /// Claims and runs units until none is left: first the worker's own share from the front, then the others' from the tail.
    private void work(int worker) {
        for (long claim; (claim = claim(worker, true)) >= 0;) execute(claim, worker);
        for (int i = 1; i < threads; i++) {
            int victim = (worker + i) % threads;
            for (long claim; (claim = claim(victim, false)) >= 0;) execute(claim, worker);
        }
    }

    /// A piece of a share, as `from << 32 | to`, or -1 when the share is used up. A quarter of what is left, at least one unit:
    /// pieces get smaller towards the end, where they decide who waits for whom.
    private long claim(int share, boolean front) {
        while (true) {
            long word = words.get(share * APART);
            int from = (int) (word >>> 32);
            int to = (int) word;
            if (from >= to) return -1;
            int take = Math.max(1, Math.min(to - from >> 2, claimLimit));
            int middle = front ? from + take : to - take;
            long taken = front ? range(from, middle) : range(middle, to);
            long left = front ? range(middle, to) : range(from, middle);
            if (words.compareAndSet(share * APART, word, left)) return taken;
        }
    }

    private static long range(int from, int to) {
        return (long) from << 32 | to;
    }

    private void execute(long claim, int worker) {
        int from = (int) (claim >>> 32);
        int to = (int) claim;
        try {
            if (failure.get() == null) {
                list.run(from, to, scratch[worker]);
                settle();
            }
        } catch (Throwable t) { // anything at all must reach the driver, or it would wait for ever
            failure.compareAndSet(null, t);
        } finally {
            if (words.addAndGet(pending, from - to) == 0 && words.get(driverParked) != 0) LockSupport.unpark(driver);
        }
    }

    private void live(int worker) {
        long seen = 0;
        while (true) {
            seen = awaitEpoch(seen, worker);
            if (closed) return;
            work(worker);
        }
    }

    private long awaitEpoch(long seen, int worker) {
        int parked = (threads + worker) * APART;
        long start = 0;
        for (int spins = 0;; spins++) {
            long now = words.get(epoch);
            if (now != seen) return now;
            if ((spins & 63) != 63) {
                Thread.onSpinWait();
            } else if (start == 0) {
                start = System.nanoTime();
            } else if (System.nanoTime() - start > spinNanos) {
                words.set(parked, 1);
                if (words.get(epoch) == seen) LockSupport.park(this);
                words.set(parked, 0);
            }
        }
    }

    /// Ends the team: waits for a region that is running, then for the threads. Closing again does nothing.
    @Override
    public void close() {
        if (Thread.currentThread() instanceof TeamThread t && t.workers == this || driving.isHeldByCurrentThread())
            throw new IllegalStateException("a task of a region cannot close its team");
        closing = true; // before the lock: a driver that runs region after region would take it again and again
        driving.lock();
        try {
            closed = true;
            words.getAndIncrement(epoch);
            for (Thread t : team) LockSupport.unpark(t);
            boolean interrupted = false;
            for (Thread t : team) {
                while (t.isAlive()) {
                    try {
                        t.join();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            }
            if (interrupted) Thread.currentThread().interrupt();
        } finally {
            driving.unlock();
        }
    }

    private static final class TeamThread extends Thread {
        private final Workers workers;
        private final int worker;

        TeamThread(Workers workers, int worker) {
            super(null, null, "kvern-worker-" + worker, 0, false);
            this.workers = workers;
            this.worker = worker;
            setDaemon(true);
        }

        @Override
        public void run() {
            workers.live(worker);
        }
    }
}
