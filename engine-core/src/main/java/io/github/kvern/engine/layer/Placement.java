package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Layout;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Workers;
import java.lang.foreign.Arena;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where a model's matrices are put while it is loaded. Left in the file's mapping; or, with the experimental system property
/// `kvern.weights=packed`, packed, which takes about as much memory off the heap as the file is large. That memory is freed some time
/// after the model is closed, when the collector finds that nothing refers to it.
public final class Placement implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Placement.class);

    private final Optional<Workers> workers;
    private final Arena arena = Arena.ofAuto();
    private final long started = System.nanoTime();
    private final long all;
    private final DoubleConsumer progress;
    private long done;
    private long bytes;

    /// @param threads that pack
    /// @param all bytes of the files
    /// @param progress is told, after each matrix, the share of these bytes that has its place
    public Placement(int threads, long all, DoubleConsumer progress) {
        this(System.getProperty("kvern.weights", "mapped").equals("packed") ? Optional.of(new Workers(threads)) : Optional.empty(), all,
                progress);
    }

    /// Leaves everything in the mapping, and tells nobody.
    static Placement mapped() {
        return new Placement(Optional.empty(), 1, share -> {
        });
    }

    private Placement(Optional<Workers> workers, long all, DoubleConsumer progress) {
        this.workers = workers;
        this.all = all;
        this.progress = progress;
    }

    Matrix place(Matrix m) {
        Matrix placed = workers.isPresent() ? packed(m, workers.get()) : m;
        done += m.bytes();
        progress.accept(Math.min(1, (double) done / all));
        return placed;
    }

    private Matrix packed(Matrix m, Workers team) {
        Matrix placed = m.packed(arena, team);
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
