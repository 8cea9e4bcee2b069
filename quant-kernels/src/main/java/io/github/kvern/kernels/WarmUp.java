package io.github.kvern.kernels;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs vector code in the background, on little data, until the compiler has turned it into machine code. Meanwhile products are
/// computed in plain loops, with the same bits: neither a result nor an embedder needs to wait. What does not become fast stays in
/// plain loops and is told of: then the compiler gave the code up.
public final class WarmUp implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    /// Compiled vector code takes less, by a factor of three at least; the interpreter and the first compiler take 20 times more.
    private static final double NANOS_PER_STEP = 1;
    /// So many more runs have to be fast than slow: now and then a thread loses its core.
    private static final int RUNS = 5;
    private static final long PATIENCE_NANOS = 60_000_000_000L;
    private static final long TURN_NANOS = 2_000_000;

    private final List<Exercise> todo = new ArrayList<>();
    private final List<String> problems = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean stopped;

    WarmUp(List<Exercise> items) {
        for (Exercise w : items) if (w.warmth().begin()) todo.add(w);
        thread = Thread.ofPlatform().name("kvern-warm-up").daemon().unstarted(this::run);
        thread.start();
    }

    private void run() {
        long start = System.nanoTime();
        int[] fast = new int[todo.size()];
        boolean[] done = new boolean[todo.size()];
        try {
            for (int left = todo.size(); left > 0 && !stopped;) {
                boolean patient = System.nanoTime() - start < PATIENCE_NANOS;
                for (int i = 0; i < done.length && !stopped; i++) {
                    if (done[i]) continue;
                    Exercise w = todo.get(i);
                    fast[i] = turn(w, fast[i]);
                    if (fast[i] < RUNS && patient) continue;
                    done[i] = true;
                    left--;
                    if (fast[i] >= RUNS) w.warmth().warm();
                    else problems.add(w.label());
                }
            }
        } catch (RuntimeException | Error e) { // the model was closed under us, or worse: nothing that a warm-up may break
            LOG.debug("warm-up left off", e);
        } finally {
            for (int i = 0; i < done.length; i++) if (!done[i]) todo.get(i).warmth().stop();
        }
        LOG.debug("vector kernels are compiled after {} ms", (System.nanoTime() - start) / 1_000_000);
        if (!problems.isEmpty())
            LOG.warn(
                    "these kernels were not compiled to vector code and run in plain loops, many times slower: {}; see -XX:+PrintCompilation",
                    String.join(", ", problems));
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

    /// Whether nothing is left to do.
    public boolean isDone() {
        return !thread.isAlive();
    }

    /// Waits until nothing is left to do.
    ///
    /// @return false when it took longer than that
    public boolean await(Duration time) throws InterruptedException {
        return thread.join(time);
    }

    /// The kernels that did not become fast, by name; empty while they are still tried.
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
