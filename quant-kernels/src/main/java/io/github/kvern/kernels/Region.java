package io.github.kvern.kernels;

/// Collects what may run side by side (q, k and v; gate and up; all chosen experts and the shared one) and runs it with one
/// barrier. What the products want made of their activations (8-bit blocks, packed columns) is made first. Reusable; used by one
/// driver thread.
public final class Region {
    private final Workers workers;
    private final WorkList preparation = new WorkList();
    private final WorkList work = new WorkList();

    public Region(Workers workers) {
        this.workers = workers;
    }

    /// Adds the product of a plain matrix and all columns of `x`, which must be one segment: `out[outAt + c * outStride + row]`.
    ///
    /// @throws IllegalArgumentException when widths differ, `x` has several segments, or `out` is too small
    public void multiply(Matrix w, Activation x, float[] out, int outAt, int outStride) {
        if (x.segments() != 1)
            throw new IllegalArgumentException("a product over all columns, but they are cut into " + x.segments() + " segments");
        multiply(w, 0, x, 0, out, outAt, outStride);
    }

    /// Adds the product of one expert and the columns of one segment of `x`. Columns are counted from the segment's first.
    ///
    /// @throws IllegalArgumentException when widths differ, there is no such expert or segment, or `out` is too small
    public void multiply(Matrix w, int expert, Activation x, int segment, float[] out, int outAt, int outStride) {
        if (x.width() != w.columns())
            throw new IllegalArgumentException("a matrix of " + w.columns() + " columns times vectors of " + x.width());
        if (expert < 0 || expert >= w.experts()) throw new IllegalArgumentException("expert " + expert + " of " + w.experts());
        if (segment < 0 || segment >= x.segments()) throw new IllegalArgumentException("segment " + segment + " of " + x.segments());
        int columns = x.columns(segment);
        if (columns == 0) return;
        long end = outAt + (columns - 1L) * outStride + w.rows();
        if (outAt < 0 || outStride < 0 || computes() && end > out.length)
            throw new IllegalArgumentException("a result that ends at " + end + " in an array of " + out.length);
        int unitRows = w.kernel().unitRows(columns);
        WorkList.Task t = work.add((w.rows() + unitRows - 1) / unitRows, w.kernel().cost(w, columns) * unitRows);
        t.unitRows = unitRows;
        t.matrix = w;
        t.expert = expert;
        t.x = x;
        t.segment = segment;
        t.out = out;
        t.outAt = outAt;
        t.outStride = outStride;
    }

    /// Adds any other work of independent units.
    ///
    /// @param cost of one unit, in multiply-adds or something like it: for sharing the work evenly
    public void add(RangeTask task, int units, long cost) {
        if (units > 0) work.add(units, cost).task = task;
    }

    /// Workers that take part.
    int threads() {
        return workers.threads();
    }

    /// Whether what is added will be computed: not with [Workers#none()].
    public boolean computes() {
        return workers.compute();
    }

    /// Forgets what was added and not run: for who fails between the two.
    public void clear() {
        work.clear();
    }

    /// Runs everything that was added, returns when all of it is done, and is empty again. What a task throws is thrown here.
    public void run() {
        try {
            work.prepare(preparation);
            workers.run(preparation);
            preparation.clear();
            workers.run(work);
        } finally {
            preparation.discard(); // there are tasks only if it failed
            work.clear();
        }
    }
}
