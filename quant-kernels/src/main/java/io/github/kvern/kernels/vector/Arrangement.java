package io.github.kvern.kernels.vector;

/// An order of activations that saves a row kernel from shuffling weights: columns are brought in the order in which a type's blocks
/// hold their values, once for a whole matrix. The same at every vector width.
public abstract class Arrangement {
    /// Values that are arranged together at least: `from` and `to` of [#arrange] are multiples of it, or the column's end.
    public static final int UNIT = 2048;

    Arrangement() {}

    /// Makes room for `columns` columns of `k` values.
    public abstract void room(Operand o, int k, int columns);

    /// Arranges the values `from` to `to` (exclusive) of a column.
    ///
    /// @param x the values; the column begins at `at`
    /// @param k values in a column, whole blocks
    /// @param scratch [#SCRATCH] ints, overwritten
    /// @param vectors false computes the same in plain loops: until vector code is compiled
    public abstract void arrange(float[] x, int at, int k, int column, int from, int to, Operand o, int[] scratch,
            boolean vectors);

    /// Ints of scratch that [#arrange] is given.
    public static final int SCRATCH = 256;
}
