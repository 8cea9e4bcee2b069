package io.github.kvern.kernels.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Products of rows, straight from the file's blocks, and one column: for few columns. One per type.
///
/// A row's result is a sum of 16 virtual lanes whatever the width of the machine's vectors, added up as [#sum] does: the same bits
/// at every width.
public abstract class RowKernel {
    /// Floats of scratch that [#rows] is given: 16 lanes of sums, 8 for what is taken away, 64 for the end of a row of floats.
    public static final int SCRATCH = 88;
    static final int TAIL = 24;

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

    /// One row in plain loops, with the same bits: what computes until [#rows] is compiled.
    public abstract float plain(MemorySegment source, long at, int k, Operand x, int column, float[] lanes);

    /// The sum of 16 lanes: halves are added until one is left.
    static float sum(float[] v) {
        float a = v[0] + v[8] + (v[4] + v[12]);
        float b = v[1] + v[9] + (v[5] + v[13]);
        float c = v[2] + v[10] + (v[6] + v[14]);
        float d = v[3] + v[11] + (v[7] + v[15]);
        return a + c + (b + d);
    }

    /// The sum of the 8 lanes behind those.
    static float sum8(float[] v) {
        return v[16] + v[20] + (v[18] + v[22]) + (v[17] + v[21] + (v[19] + v[23]));
    }

    /// The 6-bit number of group j: of the first four whole in `first`, of the others with four bits in `last` (from bit `shift` of a
    /// byte on) and two above the first four's.
    static int scale(MemorySegment w, long first, long last, int j, int shift) {
        if (j < 4) return w.get(ValueLayout.JAVA_BYTE, first + j) & 63;
        return w.get(ValueLayout.JAVA_BYTE, last + j - 4) >>> shift & 15 | (w.get(ValueLayout.JAVA_BYTE, first + j - 4) & 0xc0) >>> 2;
    }
}
