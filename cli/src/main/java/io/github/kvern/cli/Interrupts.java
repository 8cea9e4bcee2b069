package io.github.kvern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/// What happens at Ctrl-C (SIGINT), SIGTERM and SIGHUP: what runs is cancelled, the verb prints what it has, and the process is gone
/// within a second, whether or not the verb came to its end.
///
/// A shutdown hook rather than a signal handler: the JVM then ends with the exit code that shells know (128 + signal, 130 for
/// Ctrl-C), also while it loads a model or waits for the disk.
final class Interrupts {
    /// How long a verb may take to come to its end by itself. The JVM needs the rest of the second: it waits for its compilers.
    private static final long GRACE_MILLIS = 200;

    /// What to do about a verb that runs.
    ///
    /// @param cancel asks it to end
    /// @param lastWords says what it has to say if it does not end in time
    private record Running(Runnable cancel, Runnable lastWords) {
    }

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Set<Path> halfWritten = ConcurrentHashMap.newKeySet();
    private final ReentrantLock files = new ReentrantLock();
    private boolean swept;
    private volatile Optional<Running> running = Optional.empty();
    private volatile boolean requested;

    /// From now on signals come here.
    Interrupts install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::end, "kvern-interrupt"));
        return this;
    }

    /// What to cancel; at once, if the signal came before.
    ///
    /// @param lastWords what to say on the interrupting thread if the verb does not end in time
    void onInterrupt(Runnable cancel, Runnable lastWords) {
        running = Optional.of(new Running(cancel, lastWords));
        if (requested) cancel.run();
    }

    /// Whether a signal came.
    boolean requested() {
        return requested;
    }

    /// The verb is through, and all it had to say is written.
    void finish() {
        finished.countDown();
    }

    /// Begins or completes a file.
    @FunctionalInterface
    interface FileStep<T> {
        T run() throws IOException;
    }

    /// Does something with a file that is half-written before or after it: whole, or not at all once those files were deleted. The
    /// process lives on for a moment after that, in which a verb must not leave another one.
    ///
    /// @throws Failure a quiet one, after the signal
    <T> T step(FileStep<T> step) throws IOException {
        files.lock();
        try {
            if (swept) throw new Failure(Failures.INTERRUPTED, "");
            return step.run();
        } finally {
            files.unlock();
        }
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
        Optional<Running> now = running;
        try {
            now.ifPresent(verb -> verb.cancel().run());
            if (now.isPresent() && !finished.await(GRACE_MILLIS, TimeUnit.MILLISECONDS)) now.get().lastWords().run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sweep();
        }
    }

    private void sweep() {
        boolean alone = false;
        try {
            alone = files.tryLock(GRACE_MILLIS, TimeUnit.MILLISECONDS); // who holds it waits for a slow disk
            if (alone) swept = true;
            for (Path file : halfWritten) delete(file);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (alone) files.unlock();
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
