package io.github.kvern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// What happens at Ctrl-C (SIGINT), SIGTERM and SIGHUP: what runs is cancelled, the verb prints what it has, and the process is gone
/// within a second, whether or not the verb came to its end.
///
/// A shutdown hook rather than a signal handler: the JVM then ends with the exit code that shells know (128 + signal, 130 for
/// Ctrl-C), also while it loads a model or waits for the disk.
final class Interrupts {
    /// How long the verb may take to print what it has. The JVM needs some of the second too.
    private static final long GRACE_MILLIS = 500;

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Set<Path> halfWritten = ConcurrentHashMap.newKeySet();
    private volatile Optional<Runnable> cancel = Optional.empty();
    private volatile boolean requested;

    /// From now on signals come here.
    Interrupts install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::end, "kvern-interrupt"));
        return this;
    }

    /// What to cancel; at once, if the signal came before.
    void onInterrupt(Runnable action) {
        cancel = Optional.of(action);
        if (requested) action.run();
    }

    /// There is nothing to cancel any more.
    void nothingToCancel() {
        cancel = Optional.empty();
    }

    /// Whether a signal came.
    boolean requested() {
        return requested;
    }

    /// The verb is through, and all it had to say is written.
    void finish() {
        finished.countDown();
    }

    /// Remembers a file that must not stay if the process ends early.
    void halfWritten(Path file) {
        halfWritten.add(file);
    }

    /// The file is complete, or gone.
    void settled(Path file) {
        halfWritten.remove(file);
    }

    /// What the hook does, and what a test calls in its place.
    void end() {
        if (finished.getCount() == 0) return;
        requested = true;
        Optional<Runnable> action = cancel;
        try {
            action.ifPresent(Runnable::run);
            if (action.isPresent() && !finished.await(GRACE_MILLIS, TimeUnit.MILLISECONDS)) return; // too slow: what is written stays
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            for (Path file : halfWritten) delete(file);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // it stays behind under its temporary name; there is no time left to do more
        }
    }
}
