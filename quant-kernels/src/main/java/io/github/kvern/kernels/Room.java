package io.github.kvern.kernels;

/// What the buffers of one owner take. They grow to the most that was asked for and are then kept. Where nothing is computed
/// ([Workers#none()]) the numbers grow and the arrays stay as they are: a plan needs none of the memory that it plans.
///
/// Not thread-safe: one driver asks, between regions.
public final class Room {
    private final boolean counted;
    private final int[] valueBytes;
    private final long[] sizes;

    /// Room for nothing yet.
    ///
    /// @param counted whether sizes are counted only, without arrays
    /// @param valueBytes for each buffer the bytes of a value
    public Room(boolean counted, int... valueBytes) {
        this.counted = counted;
        this.valueBytes = valueBytes.clone();
        sizes = new long[valueBytes.length];
    }

    /// Whether there are no arrays.
    boolean counted() {
        return counted;
    }

    /// The values that a buffer has room for.
    public long size(int buffer) {
        return sizes[buffer];
    }

    /// Bytes of all buffers.
    public long bytes() {
        long bytes = 0;
        for (int i = 0; i < sizes.length; i++) bytes += valueBytes[i] * sizes[i];
        return bytes;
    }

    /// A buffer with room for so many values: the old one when it has, else another, whose values are 0.
    ///
    /// @param old what this returned for the buffer before, at first an empty array
    /// @throws ArithmeticException for more than an array can hold
    public float[] floats(int buffer, float[] old, long size) {
        if (size <= sizes[buffer]) return old;
        float[] made = counted ? old : new float[Math.toIntExact(size)];
        sizes[buffer] = size; // not before it is there: who runs out of memory may try again
        return made;
    }

    /// The same for ints.
    public int[] ints(int buffer, int[] old, long size) {
        if (size <= sizes[buffer]) return old;
        int[] made = counted ? old : new int[Math.toIntExact(size)];
        sizes[buffer] = size;
        return made;
    }

    /// The same for shorts.
    public short[] shorts(int buffer, short[] old, long size) {
        if (size <= sizes[buffer]) return old;
        short[] made = counted ? old : new short[Math.toIntExact(size)];
        sizes[buffer] = size;
        return made;
    }

    /// The same for booleans, all false.
    public boolean[] booleans(int buffer, boolean[] old, long size) {
        if (size <= sizes[buffer]) return old;
        boolean[] made = counted ? old : new boolean[Math.toIntExact(size)];
        sizes[buffer] = size;
        return made;
    }
}
