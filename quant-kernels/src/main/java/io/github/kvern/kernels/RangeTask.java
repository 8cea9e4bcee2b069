package io.github.kvern.kernels;

/// Work that can be cut into ranges of units, each computed without looking at the others.
@FunctionalInterface
public interface RangeTask {
    /// Computes the units `from` to `to` (exclusive).
    void run(int from, int to, WorkerScratch scratch);
}
