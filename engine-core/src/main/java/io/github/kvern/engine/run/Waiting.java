package io.github.kvern.engine.run;

/// Waiting that an interrupt does not end: it is kept, and the thread stays interrupted when the waiting is over.
public final class Waiting {
    private Waiting() {
    }

    /// Something to wait for, that may be begun again.
    ///
    /// @param <T> what comes of it
    @FunctionalInterface
    public interface Wait<T> {
        /// Waits.
        T await() throws InterruptedException;
    }

    /// Waits until that is over.
    ///
    /// @param interrupted run at each interrupt
    /// @return what came of it
    public static <T> T out(Wait<T> wait, Runnable interrupted) {
        boolean was = false;
        try {
            while (true) {
                try {
                    return wait.await();
                } catch (InterruptedException e) {
                    was = true;
                    interrupted.run();
                }
            }
        } finally {
            if (was) Thread.currentThread().interrupt();
        }
    }

    /// Waits for a thread's end; one that was never started has ended.
    static void forEnd(Thread thread) {
        out(() -> {
            thread.join();
            return thread;
        }, () -> {
        });
    }
}
