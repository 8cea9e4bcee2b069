package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.L;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Products of rows, straight from the file's blocks, and one column: for few columns. One per type.
///
/// A row's result is a sum of 16 virtual lanes whatever the width of the machine's vectors, added up as [#sum] does: the same bits
/// at every width.
public abstract class RowKernel {
    /// Columns that a kernel takes at once, at most: with 512 bits a row unpacked once is as fast as the tile with 8 columns and faster with
    /// fewer; with 256 the tile wins there.
    public static final int COLUMNS = L == 16 ? 8 : 4;
    /// Floats of scratch that [#rows] is given: 16 lanes of sums and 8 for what is taken away for each column, or 16 for each of four rows
    /// and 64 for the end of a row of floats.
    public static final int SCRATCH = Math.max(24 * COLUMNS, 128);
    static final int TAIL = 64;
    /// Values in a row of floats from which four rows at once are faster, if there are 32 registers: the column, which takes more room
    /// than a row, is then read a quarter as often, from a cache it does not fit into beside the rows.
    static final int FOUR_FROM = 4096;
    static final boolean FOUR = L == 16;

    RowKernel() {}

    /// The order in which this kernel wants its column.
    public abstract Arrangement arrangement();

    /// `out[outAt + r] = row r . column`.
    ///
    /// @param source the matrix
    /// @param at byte offset of the first row
    /// @param k values in a row
    /// @param lanes [#SCRATCH] floats, overwritten
    public abstract void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out,
            int outAt, float[] lanes);

    /// The same for `count` columns, at most [#most], with the bits of one each: `out[outAt + c * outStride + r] = row r . column c`,
    /// columns counted from `column`.
    ///
    /// @param lanes [#SCRATCH] floats, overwritten
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, int count, float[] out,
            int outAt, int outStride, float[] lanes) {
        for (int c = 0; c < count; c++) rows(source, at, rowBytes, rows, k, x, column + c, out, outAt + c * outStride, lanes);
    }

    /// Columns up to which this is faster than decoding for the tile; [#COLUMNS] at most.
    public int most() {
        return 4;
    }

    /// Values in a row with which all of [#rows] runs that would with more.
    public int enough() {
        return 1024;
    }

    /// One row in plain loops, with the same bits: what computes until [#rows] is compiled.
    public abstract float plain(MemorySegment source, long at, int k, Operand x, int column, float[] lanes);

    /// The sum of 16 lanes: halves are added until one is left.
    static float sum(float[] v) {
        return sum(v, 0);
    }

    /// The same of the 16 from `at` on.
    static float sum(float[] v, int at) {
        float a = v[at] + v[at + 8] + (v[at + 4] + v[at + 12]);
        float b = v[at + 1] + v[at + 9] + (v[at + 5] + v[at + 13]);
        float c = v[at + 2] + v[at + 10] + (v[at + 6] + v[at + 14]);
        float d = v[at + 3] + v[at + 11] + (v[at + 7] + v[at + 15]);
        return a + c + (b + d);
    }

    /// The sum of the 8 lanes behind those.
    static float sum8(float[] v) {
        return sum8(v, 16);
    }

    /// The same of the 8 from `at` on.
    static float sum8(float[] v, int at) {
        return v[at] + v[at + 4] + (v[at + 2] + v[at + 6]) + (v[at + 1] + v[at + 5] + (v[at + 3] + v[at + 7]));
    }

    /// The 6-bit number of group j: of the first four whole in `first`, of the others with four bits in `last` (from bit `shift` of a
    /// byte on) and two above the first four's.
    static int scale(MemorySegment w, long first, long last, int j, int shift) {
        if (j < 4) return w.get(ValueLayout.JAVA_BYTE, first + j) & 63;
        return w.get(ValueLayout.JAVA_BYTE, last + j - 4) >>> shift & 15 | (w.get(ValueLayout.JAVA_BYTE, first + j - 4) & 0xc0) >>> 2;
    }
}
