package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Layout;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Workers;
import java.lang.foreign.Arena;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where a model's matrices are put while it is loaded. Left in the file's mapping; or, with the experimental system property
/// `kvern.weights=packed`, packed, which takes about as much memory off the heap as the file is large. That memory is freed some time
/// after the model is closed, when the collector finds that nothing refers to it.
public final class Placement implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Placement.class);

    /// Leaves everything in the mapping.
    static final Placement MAPPED = new Placement(Optional.empty());

    private final Optional<Workers> workers;
    private final Arena arena = Arena.ofAuto();
    private final long started = System.nanoTime();
    private long bytes;

    /// @param threads that pack
    public Placement(int threads) {
        this(System.getProperty("kvern.weights", "mapped").equals("packed") ? Optional.of(new Workers(threads)) : Optional.empty());
    }

    private Placement(Optional<Workers> workers) {
        this.workers = workers;
    }

    Matrix place(Matrix m) {
        if (workers.isEmpty()) return m;
        Matrix placed = m.packed(arena, workers.get());
        if (placed.layout() == Layout.PACKED) bytes += placed.packedBytes();
        return placed;
    }

    /// Says what was packed, and ends the threads.
    @Override
    public void close() {
        workers.ifPresent(w -> {
            w.close();
            LOG.debug("packed {} MB of weights in {} ms", bytes >> 20, (System.nanoTime() - started) / 1_000_000);
        });
    }
}
