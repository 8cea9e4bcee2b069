package io.github.kvern;

import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.Residency;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;

/// Brings a model's weights into memory, or locks them there, as [LoadMode] says.
final class WeightPages {
    private WeightPages() {
    }

    /// The steps of a loading, of which bringing weights in is the second part. Says what is impossible before anything is read.
    ///
    /// @throws IllegalStateException memory cannot be locked in this JVM
    static LoadSteps steps(ModelOptions options, LoadListener listener) {
        LoadSteps steps = new LoadSteps(listener);
        if (options.loadMode() == LoadMode.MMAP) return steps;
        steps.part(0, options.weights() == WeightStorage.MAPPED ? 0.02 : 0.5);
        if (options.loadMode() == LoadMode.PREFAULT) return steps;
        try {
            Residency.here().requireLocking();
        } catch (UnsupportedOperationException e) {
            throw new IllegalStateException("load mode lock: " + e.getMessage(), e);
        }
        return steps;
    }

    /// What is brought in or locked: vectors are not, which were copied to the heap.
    static List<MemorySegment> memory(LoadedWeights weights) {
        return weights.weights().matrices().stream().flatMap(m -> m.memory().stream()).distinct().toList();
    }

    /// @throws MemoryBudgetException more than the machine has, or than this process may lock
    /// @throws IOException this thread was interrupted
    static void bringIn(GgufFile file, ModelOptions options, LoadedWeights weights, MemoryLimits limits, LoadSteps steps)
            throws IOException {
        if (options.loadMode() == LoadMode.MMAP) return;
        Path path = file.paths().getFirst();
        List<MemorySegment> memory = memory(weights);
        long bytes = memory.stream().mapToLong(MemorySegment::byteSize).sum();
        if (bytes > limits.machine())
            throw new MemoryBudgetException(path + ": its weights take " + bytes + " bytes, the machine or the container has "
                    + limits.machine() + ": leave them to be read when they are needed (--load mmap, ModelOptions.loadMode)");
        steps.part(steps.done(), 1);
        LongConsumer progress = done -> steps.at((double) done / Math.max(1, bytes));
        try {
            Residency residency = Residency.here();
            if (options.loadMode() == LoadMode.LOCK) residency.lock(memory, options.threads(), progress);
            else residency.prefault(memory, options.threads(), progress);
        } catch (MemoryBudgetException e) {
            throw new MemoryBudgetException(path + ": load mode lock: " + e.getMessage()
                    + ", or bring the weights in without locking them (--load prefault, ModelOptions.loadMode)");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(path + ": loading was interrupted");
        }
    }
}
