package io.github.kvern;

import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.kernels.ReadSpeed;

/// How fast this machine reads memory.
public final class ReadBandwidth {
    private static final int MACHINE_SHARE = 8;

    private ReadBandwidth() {
    }

    /// Measures it: about half a second, with a buffer of 512 MiB, or 64 MiB a thread, at most an eighth of the machine's memory and half
    /// of what the JVM may take outside the heap.
    ///
    /// @param threads that read at the same time, 1 to 1024
    /// @return bytes in a second
    /// @throws IllegalArgumentException threads out of this range
    /// @throws MemoryBudgetException no memory for the buffer
    public static double measure(int threads) {
        ModelOptions.defaults().threads(threads);
        MemoryLimits limits = MemoryLimits.here();
        try {
            return ReadSpeed.measure(threads, Math.min(limits.machine() / MACHINE_SHARE, limits.direct() / 2));
        } catch (OutOfMemoryError e) {
            throw new MemoryBudgetException("no memory to measure how fast memory is read (" + e.getMessage()
                    + "): say it with --bandwidth, or give the JVM more (-XX:MaxDirectMemorySize)");
        }
    }
}
