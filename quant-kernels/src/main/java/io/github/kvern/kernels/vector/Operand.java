package io.github.kvern.kernels.vector;

import io.github.kvern.kernels.Room;

/// A batch of columns as a row kernel reads them, one after the other. What is in which array, the [Arrangement] says.
public final class Operand {
    private static final int FLOATS = 0, SHORTS = 1, BIASES = 2, SUMS = 3, SCALES = 4;

    private final Room room;
    float[] floats = {};
    short[] shorts = {};
    short[] biases = {};
    int[] sums = {};
    float[] scales = {};

    /// @param counted whether only its size is wanted
    public Operand(boolean counted) {
        room = new Room(counted, Float.BYTES, Short.BYTES, Short.BYTES, Integer.BYTES, Float.BYTES);
    }

    /// Bytes of all arrays.
    public long heapBytes() {
        return room.bytes();
    }

    /// Makes room: so many of each, in all.
    void room(long floatCount, long shortCount, long biasCount, long sumCount, long scaleCount) {
        floats = room.floats(FLOATS, floats, floatCount);
        shorts = room.shorts(SHORTS, shorts, shortCount);
        biases = room.shorts(BIASES, biases, biasCount);
        sums = room.ints(SUMS, sums, sumCount);
        scales = room.floats(SCALES, scales, scaleCount);
    }
}
