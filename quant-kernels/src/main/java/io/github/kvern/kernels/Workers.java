package io.github.kvern.kernels;

/// A fixed team of platform threads with one cheap barrier. The thread that runs a region is worker 0.
public final class Workers implements AutoCloseable {
    private final int threads;
    private final WorkerScratch[] scratch;

    /// @param threads 1 or more, the calling thread among them
    public Workers(int threads) {
        if (threads < 1) throw new IllegalArgumentException("threads must be at least 1, found " + threads);
        this.threads = threads;
        scratch = new WorkerScratch[threads];
        for (int i = 0; i < threads; i++) scratch[i] = new WorkerScratch(i);
    }

    public int threads() {
        return threads;
    }

    WorkerScratch scratch(int worker) {
        return scratch[worker];
    }

    @Override
    public void close() {
    }
}
