package io.github.kvern.kernels;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs vector code in the background, on little data, until the compiler has turned it into machine code. Meanwhile products are
/// computed in plain loops, with the same bits: neither a result nor an embedder needs to wait. What does not become fast stays in
/// plain loops and is told of: then the compiler gave the code up. What another is at work on is waited for, or taken over when it is
/// left off.
public final class WarmUp implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    /// Compiled vector code takes less, by a factor of three at least; the interpreter and the first compiler take 20 times more.
    private static final double NANOS_PER_STEP = 1;
    /// So many more runs have to be fast than slow: now and then a thread loses its core.
    private static final int RUNS = 5;
    static final long PATIENCE_NANOS = 60_000_000_000L;
    private static final long TURN_NANOS = 2_000_000;
    private static final long PAUSE_MILLIS = 10;
    /// For so long at most a first, short prompt of a small model has the processors to itself.
    static final long DELAY_NANOS = 3_000_000_000L;

    private final List<Exercise> all;
    private final boolean[] mine;
    private final boolean[] done;
    private final Consumer<String> warning;
    private final long patience;
    private final long delay;
    private final long wait;
    private final List<String> problems = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean going;
    private volatile boolean stopped;

    /// @param warning takes a line about what does not become fast
    /// @param patience how long to try, in nanoseconds
    /// @param delay how long to leave others alone at first, in nanoseconds, unless [#go()] is called or a product has many columns
    /// @param wait how long products should rather wait for it than be computed in plain loops, in nanoseconds
    WarmUp(List<Exercise> all, Consumer<String> warning, long patience, long delay, long wait) {
        this.all = List.copyOf(all);
        this.warning = warning;
        this.patience = patience;
        this.delay = delay;
        this.wait = wait;
        mine = new boolean[all.size()];
        done = new boolean[all.size()];
        for (int i = 0; i < mine.length; i++) mine[i] = all.get(i).warmth().begin(wait);
        thread = Thread.ofPlatform().name("kvern-warm-up").daemon().unstarted(this::run);
        thread.start();
    }

    private void run() {
        long start = System.nanoTime();
        int unfinished = 0;
        try {
            while (System.nanoTime() - start < delay && !stopped && !going && !isWanted()) Thread.sleep(PAUSE_MILLIS);
            work(System.nanoTime());
        } catch (InterruptedException | RuntimeException | Error e) { // nothing that a warm-up may break
            LOG.debug("warm-up left off", e);
            if (!problems.isEmpty()) warnOfProblems();
            List<String> left = IntStream.range(0, done.length).filter(i -> !done[i]).mapToObj(i -> all.get(i).label()).toList();
            unfinished = left.size();
            problems.addAll(left);
            // a mapped file was cut short, or its disk failed: the kernels are as good as before, and who computes with it says so
            if (!(e instanceof InternalError))
                warning.accept("the warm-up failed (" + e + "), so that these kernels may be slow for some time: "
                        + String.join(", ", left));
        } finally {
            for (int i = 0; i < done.length; i++) if (mine[i] && !done[i]) all.get(i).warmth().stop();
        }
        if (unfinished > 0) return;
        LOG.debug("vector kernels are compiled after {} ms", (System.nanoTime() - start) / 1_000_000);
        if (!problems.isEmpty()) warnOfProblems();
    }

    private void warnOfProblems() {
        warning.accept("these kernels were not compiled to vector code and run many times slower: " + String.join(", ", problems)
                + "; see -XX:+PrintCompilation");
    }

    private void work(long start) throws InterruptedException {
        int[] fast = new int[done.length];
        for (int left = done.length; left > 0 && !stopped;) {
            boolean patient = System.nanoTime() - start < patience, worked = false;
            boolean wanted = isWanted();
            for (int i = 0; i < done.length && !stopped; i++) {
                if (done[i]) continue;
                Exercise w = all.get(i);
                if (wanted && !w.warmth().isWanted()) continue; // somebody waits for others
                if (!mine[i]) mine[i] = w.warmth().begin(wait); // whoever was at it may have left off
                if (mine[i]) {
                    worked = true;
                    fast[i] = turn(w, fast[i]);
                    if (fast[i] < RUNS && patient) continue;
                    if (fast[i] >= RUNS) w.warmth().warm();
                    else w.warmth().giveUp();
                } else if (!w.warmth().isSettled()) {
                    continue;
                }
                if (w.warmth().isGivenUp()) problems.add(w.label());
                done[i] = true;
                left--;
            }
            if (!worked && left > 0) Thread.sleep(PAUSE_MILLIS);
        }
    }

    /// Whether somebody waits for what is left to do here.
    private boolean isWanted() {
        boolean wanted = false;
        for (int i = 0; i < done.length; i++) wanted |= !done[i] && mine[i] && all.get(i).warmth().isWanted();
        return wanted;
    }

    /// Runs one kernel for a moment; how many more runs were fast than slow.
    private int turn(Exercise w, int fast) {
        long end = System.nanoTime() + TURN_NANOS;
        long now = System.nanoTime();
        do {
            long steps = w.run().getAsLong();
            long then = now;
            now = System.nanoTime();
            fast = now - then <= steps * NANOS_PER_STEP ? fast + 1 : Math.max(0, fast - 1);
        } while (now < end && fast < RUNS && !stopped);
        return fast;
    }

    /// The first prompt is through, or nobody has one: no reason to wait any longer.
    public void go() {
        going = true;
    }

    /// Whether nothing is left to do.
    public boolean isDone() {
        return !thread.isAlive();
    }

    /// Waits until nothing is left to do.
    ///
    /// @return false when it took longer than that
    public boolean await(Duration time) throws InterruptedException {
        go();
        return thread.join(time);
    }

    /// The kernels that did not become fast, by name: given up, or left when the warm-up failed. Empty while they are still tried.
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /// Leaves off, and waits for that: a fraction of a second. Vector code is then run whether compiled or not.
    @Override
    public void close() {
        stopped = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}
