package io.github.kvern.kernels.vector;

/// Activations for float weights: as they are, or split for types whose 16-bit values lie two in an int.
///
/// ```
///   floats  plain: [k]
///           split: [32 values][16 even ones, 16 odd ones], zeros after the last
/// ```
final class Floats extends Arrangement {
    static final Floats PLAIN = new Floats(false, 1);
    static final Floats SPLIT = new Floats(true, 1);
    static final Floats SPLIT_SCALED = new Floats(true, 0x1p56f);

    private final boolean split;
    private final float factor;

    private Floats(boolean split, float factor) {
        this.split = split;
        this.factor = factor;
    }

    /// Floats of a column: whole runs of 64, so that a kernel needs no tail for its column.
    static int stride(int k) {
        return k + 63 & -64;
    }

    @Override
    public void room(Operand o, int k, int columns) {
        o.room((long) stride(k) * columns, 0, 0, 0, 0);
    }

    @Override
    public void arrange(float[] x, int at, int k, int column, int from, int to, Operand o, int[] scratch, boolean vectors) {
        float[] f = o.floats;
        int start = column * stride(k);
        int end = to < k ? to : stride(k);
        if (split) {
            for (int i = from; i < end; i++) f[start + (i & -32) + (i & 1) * 16 + ((i & 31) >> 1)] = i < k ? x[at + i] * factor : 0;
        } else {
            System.arraycopy(x, at + from, f, start + from, to - from);
            for (int i = to; i < end; i++) f[start + i] = 0;
        }
    }
}
