package io.github.kvern.kernels.vector;

import java.util.Arrays;

/// A batch of columns in 8 bits, as the packed types read them. Columns lie in groups of [#GROUP], the last one in a group of
/// 1, 2 or 4 (or 8) with zeros for what is missing. All columns of a group lie side by side (C of them), groups one after the other:
///
/// ```
///   x       [k][C]             a value twice in an int: one broadcast gives it to both halves of every lane
///   biases  [k / run][C]       -offset * sum of the run's values, twice in an int likewise
///   sums    [k / run][C]       sum of the run's values
///   scales  [k / length][C]    a value is about scale * x
///   floats  [k][C]             in place of the first three, for types that multiply many columns as floats; a column that is
///                              multiplied by itself has all
/// ```
public final class PackedOperand {
    /// Columns of a full group: 8 or 4.
    public static final int GROUP = Lanes.COLUMNS;

    int[] x = {};
    int[] biases = {};
    int[] sums = {};
    float[] scales = {};
    float[] floats = {};

    /// Makes room for this many columns, the padding among them.
    public void room(PackedType type, int k, int columns) {
        long all = (long) k * columns;
        x = room(x, all);
        biases = room(biases, all / type.run);
        sums = room(sums, all / type.run);
        if (type.usesFloats() && floats.length < all) floats = new float[Math.toIntExact(all)];
        if (scales.length < all / type.length) scales = new float[Math.toIntExact(all / type.length)];
    }

    private static int[] room(int[] array, long size) {
        return array.length >= size ? array : new int[Math.toIntExact(size)];
    }

    /// The width of the last group, for this many columns: 1, 2, 4 or 8.
    public static int padded(int columns) {
        return Tile.padded(columns);
    }

    /// Quantises one group.
    ///
    /// @param values the columns, `k` values each
    /// @param at of the group's first column
    /// @param count columns there are, 1 to [#GROUP]
    /// @param before columns of the groups before, with their padding
    /// @param alone whether each column is multiplied by itself: then it needs whole numbers too
    /// @param q 256 ints, overwritten
    /// @param vectors false computes the same in plain loops
    public void group(PackedType type, float[] values, int at, int k, int count, int before, boolean alone, int[] q,
            boolean vectors) {
        int width = padded(count);
        for (int c = 0; c < width; c++) {
            for (int i = 0; i < k; i += type.length) {
                int scale = before * (k / type.length) + i / type.length * width + c;
                if (c < count) {
                    scales[scale] = Quantiser.block(values, at + c * k + i, type.length, q, vectors);
                } else {
                    scales[scale] = 0;
                    Arrays.fill(q, 0, type.length, 0);
                }
                if (type.usesFloats()) for (int j = 0; j < type.length; j++) floats[before * k + (i + j) * width + c] = q[j];
                if (!type.usesFloats() || alone)
                    spread(q, type, before * k + i * width + c, before * (k / type.run) + i / type.run * width + c, width);
            }
        }
    }

    private void spread(int[] q, PackedType type, int at, int runAt, int width) {
        int run = type.run;
        for (int j = 0; j < type.length / run; j++) {
            int sum = 0;
            for (int i = 0; i < run; i++) {
                int v = q[j * run + i];
                sum += v;
                x[at + (j * run + i) * width] = twice(v);
            }
            sums[runAt + j * width] = sum;
            biases[runAt + j * width] = twice(-type.offset * sum);
        }
    }

    private static int twice(int v) {
        return v & 0xffff | v << 16;
    }
}
