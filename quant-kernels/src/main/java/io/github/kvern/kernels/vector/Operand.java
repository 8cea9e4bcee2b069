package io.github.kvern.kernels.vector;

/// A batch of columns as a row kernel reads them, one after the other. What is in which array, the [Arrangement] says.
public final class Operand {
    float[] floats = {};
    short[] shorts = {};
    short[] biases = {};
    int[] sums = {};
    float[] scales = {};

    /// Bytes of all arrays.
    public long heapBytes() {
        return 4L * (floats.length + sums.length + scales.length) + 2L * (shorts.length + biases.length);
    }

    /// Makes room: so many of each, in all.
    void room(long floatCount, long shortCount, long biasCount, long sumCount, long scaleCount) {
        if (floats.length < floatCount) floats = new float[Math.toIntExact(floatCount)];
        if (shorts.length < shortCount) shorts = new short[Math.toIntExact(shortCount)];
        if (biases.length < biasCount) biases = new short[Math.toIntExact(biasCount)];
        if (sums.length < sumCount) sums = new int[Math.toIntExact(sumCount)];
        if (scales.length < scaleCount) scales = new float[Math.toIntExact(scaleCount)];
    }
}
