package io.github.kvern.kernels;

/// A batch of float vectors, the right-hand side of products: `columns` vectors of `width` values in [#values()], one after the
/// other. The columns may be cut into segments (mixture layers give each expert its own run of columns); a plain batch is one
/// segment. Whatever else a kernel wants (8-bit blocks, packed columns) is prepared from the values by the region that runs the
/// product, once, and kept until the next [#reset].
///
/// Not thread-safe: one driver fills it between regions.
public final class Activation {
    private final int width;
    private float[] values;
    private int columns;
    private int segments;
    private int[] starts = new int[2];

    /// @param width values in a vector
    /// @param capacity columns to make room for; grows when more are asked for
    public Activation(int width, int capacity) {
        this.width = width;
        this.values = new float[Math.multiplyExact(width, Math.max(1, capacity))];
    }

    /// Declares the number of columns, in one segment, and forgets what was prepared. The values are then to be written.
    public void reset(int columns) {
        if ((long) columns * width > values.length) values = new float[Math.multiplyExact(columns, width)];
        this.columns = columns;
        segments = 1;
        starts[0] = 0;
        starts[1] = columns;
    }

    /// Cuts the columns into segments.
    ///
    /// @param boundaries `count + 1` ascending column numbers, the first 0, the last [#columns()]
    public void segment(int[] boundaries, int count) {
        if (starts.length < count + 1) starts = new int[count + 1];
        System.arraycopy(boundaries, 0, starts, 0, count + 1);
        segments = count;
    }

    /// `columns * width` floats, a column's values side by side (and room behind them).
    public float[] values() {
        return values;
    }

    public int width() {
        return width;
    }

    public int columns() {
        return columns;
    }

    public int segments() {
        return segments;
    }

    /// The first column of a segment.
    public int start(int segment) {
        return starts[segment];
    }

    /// The number of columns of a segment.
    public int columns(int segment) {
        return starts[segment + 1] - starts[segment];
    }
}
