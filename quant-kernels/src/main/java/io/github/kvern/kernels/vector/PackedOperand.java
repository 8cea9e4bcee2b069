package io.github.kvern.kernels.vector;

import io.github.kvern.kernels.Room;
import java.util.Arrays;

/// A batch of columns in 8 bits, as the packed types read them. Columns lie in groups of [#GROUP], the last ones in smaller groups, with
/// zeros for what is missing ([#width]). All columns of a group lie side by side (C of them), groups one after the other:
///
/// ```
///   x           [k][C]             a value twice in an int: one broadcast gives it to both halves of every lane. Where a column is
///                                  multiplied by itself, and the type has them, factors ([PackedType#hasFactors]) in place of values
///   biases      [k / run][C]       -offset * sum of the run's values, twice in an int likewise
///   wideBiases  [k / wide][C]      the same for wide runs, with their offset
///   sums        [k / wide][C]      sum of the wide run's values
///   floatSums   [k / wide][C]      the same as floats
///   narrow      [k / length]       with the group's first column: whether some wide run of the block is too large for 16 bits in some
///                                  column of the group
///   scales      [k / length][C]    a value is about scale * x
///   floats      [k][C]             in place of all but the scales, for types that multiply many columns as floats; a column that is
///                                  multiplied by itself has all
/// ```
public final class PackedOperand {
    /// Columns of a full group: 8 or 4.
    public static final int GROUP = Lanes.COLUMNS;

    private static final int X = 0, BIASES = 1, WIDE_BIASES = 2, SUMS = 3, FLOAT_SUMS = 4, NARROW = 5, SCALES = 6, FLOATS = 7;

    private final Room room;
    int[] x = {};
    int[] biases = {};
    int[] wideBiases = {};
    int[] sums = {};
    float[] floatSums = {};
    boolean[] narrow = {};
    float[] scales = {};
    float[] floats = {};

    /// @param counted whether only its size is wanted
    public PackedOperand(boolean counted) {
        room = new Room(counted, Integer.BYTES, Integer.BYTES, Integer.BYTES, Integer.BYTES, Float.BYTES, 1, Float.BYTES, Float.BYTES);
    }

    /// Makes room for this many columns, the padding among them. Always of the same type.
    public void room(PackedType type, int k, int columns) {
        long all = (long) k * columns;
        x = room.ints(X, x, all);
        biases = room.ints(BIASES, biases, all / type.run);
        wideBiases = room.ints(WIDE_BIASES, wideBiases, all / type.wide);
        sums = room.ints(SUMS, sums, all / type.wide);
        floatSums = room.floats(FLOAT_SUMS, floatSums, all / type.wide);
        narrow = room.booleans(NARROW, narrow, all / type.length);
        if (type.usesFloats()) floats = room.floats(FLOATS, floats, all);
        scales = room.floats(SCALES, scales, all / type.length);
    }

    /// Bytes of all arrays.
    public long heapBytes() {
        return room.bytes();
    }

    /// Of runs that are not wide, or of wide ones.
    int[] biases(boolean narrow) {
        return narrow ? biases : wideBiases;
    }

    /// The width of the next group, where this many columns are left: 1, 2, 4 or 8. Three and seven are filled up with a column of
    /// zeros, five and six are a group of four and another.
    public static int width(int columns) {
        return columns >= GROUP - 1 ? GROUP : columns > 2 ? 4 : columns;
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
        int width = width(count);
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
                if (!type.usesFloats() || alone) {
                    boolean fits = spread(q, type, before * k + i * width + c, width);
                    if (alone && type.hasFactors()) factors(q, type.length, x, before * k + i);
                    narrow[scale - c] = !fits || c > 0 && narrow[scale - c];
                }
            }
        }
    }

    /// One block of a column. Its place in the arrays of runs follows from its place in x.
    ///
    /// @return whether all of its wide runs fit 16 bits, whatever the weights
    private boolean spread(int[] q, PackedType type, int at, int width) {
        int run = type.run, column = at % width, largest = 0;
        for (int j = 0; j < type.length; j += type.wide) {
            int all = 0, size = 0;
            for (int u = j; u < j + type.wide; u += run) {
                int sum = 0;
                for (int i = u; i < u + run; i++) {
                    int v = q[i];
                    sum += v;
                    size += Math.abs(v);
                    x[at + i * width] = twice(v);
                }
                biases[(at - column) / run + u / run * width + column] = twice(-type.offset * sum);
                all += sum;
            }
            int to = (at - column) / type.wide + j / type.wide * width + column;
            wideBiases[to] = twice(-type.wideOffset * all);
            sums[to] = all;
            floatSums[to] = all;
            largest = Math.max(largest, size);
        }
        return type.fits(largest);
    }

    /// Four values of 4 bits in a 16-bit lane are multiplied without cutting them out: in the lane shifted right by nothing, 4, 8 and 12
    /// bits, a value counts with the factor of its own shift and, 16 times, with that of the shift before. So its factor is the column's
    /// value less 16 times the value before, modulo 2^16, and all sums are what they would be.
    private static void factors(int[] q, int count, int[] out, int at) {
        for (int i = 0; i < count; i++) out[at + i] = twice((i & 3) == 0 ? q[i] : q[i] - 16 * q[i - 1]);
    }

    /// A value.
    ///
    /// @param alone whether its column is multiplied by itself
    /// @param at its place in [#x], or in [#floats]
    int value(PackedType type, boolean alone, int at) {
        if (!alone) return type.usesFloats() ? (int) floats[at] : (short) x[at];
        int v = x[at];
        if (type.hasFactors()) for (int i = 1; i <= (at & 3); i++) v += x[at - i] << 4 * i;
        return (short) v;
    }

    /// Both halves of a lane.
    static int twice(int v) {
        return v & 0xffff | v << 16;
    }
}
