package io.github.kvern.kernels;

import java.util.ArrayList;
import java.util.List;

/// Collects what may run side by side (q, k and v; gate and up; all chosen experts and the shared one) and runs it with one
/// barrier. Reusable; used by one driver thread.
public final class Region {
    private final Workers workers;
    private final List<Runnable> todo = new ArrayList<>();

    public Region(Workers workers) {
        this.workers = workers;
    }

    /// Adds the product of a plain matrix and all columns of `x`: `out[outAt + c * outStride + row]`.
    public void multiply(Matrix w, Activation x, float[] out, int outAt, int outStride) {
        multiply(w, 0, x, 0, out, outAt, outStride);
    }

    /// Adds the product of one expert and the columns of one segment of `x`.
    public void multiply(Matrix w, int expert, Activation x, int segment, float[] out, int outAt, int outStride) {
        if (x.width() != w.columns()) throw new IllegalArgumentException("a matrix of " + w.columns() + " columns times vectors of " + x.width());
        if (x.columns(segment) == 0) return;
        todo.add(() -> w.kernel().multiply(w, expert, 0, w.rows(), x, segment, out, outAt, outStride, workers.scratch(0)));
    }

    /// Adds any other work of independent units.
    ///
    /// @param cost of one unit, in multiply-adds or something like it: for sharing the work evenly
    public void add(RangeTask task, int units, long cost) {
        if (units > 0) todo.add(() -> task.run(0, units, workers.scratch(0)));
    }

    /// Runs everything that was added, returns when all of it is done, and is empty again.
    public void run() {
        for (Runnable r : todo) r.run();
        todo.clear();
    }
}
