package io.github.kvern.kernels;

import java.util.Arrays;

/// A batch of float vectors, the right-hand side of products: `columns` vectors of `width` values in [#values()], one after the
/// other. The columns may be cut into segments (mixture layers give each expert its own run of columns); a plain batch is one
/// segment. Whatever else a kernel wants (8-bit blocks, packed columns) is prepared from the values by the region that runs the
/// product, once, and kept until the next [#reset].
///
/// Not thread-safe: one driver fills it between regions.
public final class Activation {
    private final int width;
    private final Room room;
    private float[] values = {};
    private int columns;
    private int segments;
    private int[] starts = new int[2];
    private Prepared[] prepared = {};

    /// @param width values in a vector
    /// @param capacity columns to make room for; grows when more are asked for
    /// @throws IllegalArgumentException for a width below 1 or a negative capacity
    public Activation(int width, int capacity) {
        this(width, capacity, false);
    }

    /// The same, perhaps without any values.
    ///
    /// @param counted whether only its size is wanted: [#values()] are none then, and it is for regions that do not compute
    /// @throws IllegalArgumentException for a width below 1 or a negative capacity
    public Activation(int width, int capacity, boolean counted) {
        if (width < 1 || capacity < 0) throw new IllegalArgumentException("a batch of " + capacity + " vectors of " + width + " values");
        this.width = width;
        room = new Room(counted, Float.BYTES);
        values = room.floats(0, values, (long) width * Math.max(1, capacity));
    }

    /// Declares the number of columns, in one segment, and forgets what was prepared. The values are then to be written.
    ///
    /// @throws IllegalArgumentException for a negative number
    public void reset(int columns) {
        if (columns < 0) throw new IllegalArgumentException("a batch of " + columns + " columns");
        values = room.floats(0, values, (long) columns * width);
        this.columns = columns;
        segments = 1;
        starts[0] = 0;
        starts[1] = columns;
        forget();
    }

    /// Cuts the columns into segments.
    ///
    /// @param boundaries `count + 1` ascending column numbers, the first 0, the last [#columns()]
    /// @throws IllegalArgumentException when they are not that
    public void segment(int[] boundaries, int count) {
        boolean fits = count >= 1 && boundaries.length > count && boundaries[0] == 0 && boundaries[count] == columns;
        for (int i = 0; fits && i < count; i++) fits = boundaries[i] <= boundaries[i + 1];
        if (!fits)
            throw new IllegalArgumentException(
                    count + " segments of " + columns + " columns need ascending boundaries from 0 to " + columns);
        if (starts.length < count + 1) starts = new int[count + 1];
        System.arraycopy(boundaries, 0, starts, 0, count + 1);
        segments = count;
        forget();
    }

    /// Room for this form of the values, made or not. Called by the driver; workers find what the driver asked for.
    Prepared prepared(Form form) {
        for (Prepared p : prepared) if (p.form() == form) return p;
        prepared = Arrays.copyOf(prepared, prepared.length + 1);
        return prepared[prepared.length - 1] = new Prepared(form, this);
    }

    /// Bytes of the values and of all that was prepared from them, in use or kept for a larger batch.
    public long heapBytes() {
        long bytes = room.bytes() + 4L * starts.length;
        for (Prepared p : prepared) bytes += p.heapBytes();
        return bytes;
    }

    /// Whether there are no values.
    boolean counted() {
        return room.counted();
    }

    private void forget() {
        for (Prepared p : prepared) p.forget();
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
