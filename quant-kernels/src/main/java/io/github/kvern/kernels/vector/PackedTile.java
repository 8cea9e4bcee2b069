package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Products of packed weights and many columns: a block of one or two panels is unpacked to 16 bits a value, then multiplied with
/// groups of up to four columns, two vectors of rows at a time.
///
/// ```
///   w        short[k][ROWS]       in the order of the lines: rows 0, 16, 1, 17 ...; the second panel behind the first
///   floats   float[k][32]         in place of w, for types that multiply as floats
///   scales   int[run][ROWS]       from here on in the order of rows
///   minimums float[group][ROWS]
///   d, dmin  float[ROWS]          d of each block
///   parts    short[column][ROWS]  sums of a run
///   sums     int[column][ROWS]    sums of a block, with the scales
/// ```
///
/// Methods are cut where vectors can rest in an array; a longer body makes the compiler load all columns first and spill them.
public final class PackedTile {
    /// Rows of a tile: two vectors of 16-bit values, at least a panel.
    public static final int ROWS = Math.max(PackedType.ROWS, 4 * L);

    final short[] w = new short[256 * ROWS];
    final float[] floats = new float[256 * PackedType.ROWS];
    final int[] scales = new int[32 * ROWS];
    final float[] minimums = new float[8 * ROWS];
    final float[] d = new float[8 * ROWS];
    final float[] dmin = new float[ROWS];
    final short[] parts = new short[PackedOperand.GROUP * ROWS];
    final int[] sums = new int[PackedOperand.GROUP * ROWS];

    /// Sums of one run of `count` values of k, for one group of columns.
    ///
    /// @param at of the run's first k in [#w]
    void run(int at, int count, int[] x, int xAt, int[] biases, int biasAt, int width) {
        for (int h = 0; h < ROWS; h += 4 * L) {
            switch (width) {
                case 1 -> run1(w, at + h, count, x, xAt, biases, biasAt, parts, h);
                case 2 -> run2(w, at + h, count, x, xAt, biases, biasAt, parts, h);
                default -> run4(w, at + h, count, x, xAt, biases, biasAt, parts, h);
            }
        }
    }

    private static void run4(short[] w, int at, int count, int[] x, int xAt, int[] biases, int biasAt, short[] out, int to) {
        ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
        ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
        ShortVector a2 = IntVector.broadcast(I, biases[biasAt + 2]).reinterpretAsShorts(), e2 = a2;
        ShortVector a3 = IntVector.broadcast(I, biases[biasAt + 3]).reinterpretAsShorts(), e3 = a3;
        for (int k = 0; k < count; k++) {
            ShortVector w0 = ShortVector.fromArray(S, w, at + k * ROWS), w1 = ShortVector.fromArray(S, w, at + k * ROWS + 2 * L), v;
            int q = xAt + k * 4;
            v = IntVector.broadcast(I, x[q]).reinterpretAsShorts();
            a0 = a0.add(w0.mul(v));
            e0 = e0.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 1]).reinterpretAsShorts();
            a1 = a1.add(w0.mul(v));
            e1 = e1.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 2]).reinterpretAsShorts();
            a2 = a2.add(w0.mul(v));
            e2 = e2.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 3]).reinterpretAsShorts();
            a3 = a3.add(w0.mul(v));
            e3 = e3.add(w1.mul(v));
        }
        a0.intoArray(out, to);
        e0.intoArray(out, to + 2 * L);
        a1.intoArray(out, to + ROWS);
        e1.intoArray(out, to + ROWS + 2 * L);
        a2.intoArray(out, to + 2 * ROWS);
        e2.intoArray(out, to + 2 * ROWS + 2 * L);
        a3.intoArray(out, to + 3 * ROWS);
        e3.intoArray(out, to + 3 * ROWS + 2 * L);
    }

    private static void run2(short[] w, int at, int count, int[] x, int xAt, int[] biases, int biasAt, short[] out, int to) {
        ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
        ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
        for (int k = 0; k < count; k++) {
            ShortVector w0 = ShortVector.fromArray(S, w, at + k * ROWS), w1 = ShortVector.fromArray(S, w, at + k * ROWS + 2 * L), v;
            v = IntVector.broadcast(I, x[xAt + k * 2]).reinterpretAsShorts();
            a0 = a0.add(w0.mul(v));
            e0 = e0.add(w1.mul(v));
            v = IntVector.broadcast(I, x[xAt + k * 2 + 1]).reinterpretAsShorts();
            a1 = a1.add(w0.mul(v));
            e1 = e1.add(w1.mul(v));
        }
        a0.intoArray(out, to);
        e0.intoArray(out, to + 2 * L);
        a1.intoArray(out, to + ROWS);
        e1.intoArray(out, to + ROWS + 2 * L);
    }

    private static void run1(short[] w, int at, int count, int[] x, int xAt, int[] biases, int biasAt, short[] out, int to) {
        ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
        for (int k = 0; k < count; k++) {
            ShortVector v = IntVector.broadcast(I, x[xAt + k]).reinterpretAsShorts();
            a0 = a0.add(ShortVector.fromArray(S, w, at + k * ROWS).mul(v));
            e0 = e0.add(ShortVector.fromArray(S, w, at + k * ROWS + 2 * L).mul(v));
        }
        a0.intoArray(out, to);
        e0.intoArray(out, to + 2 * L);
    }

    /// Adds the sums of a run, times its scale, to the sums of the block: `sums += scale * (part + offset * sum)`.
    ///
    /// @param scaleAt of the run in [#scales]
    /// @param xSums of the columns' values, from `xAt` on; they are not looked at when the offset is 0
    void add(int scaleAt, int offset, int[] xSums, int xAt, int width) {
        for (int h = 0; h < ROWS; h += 2 * L) {
            int row = (h & -PackedType.ROWS) + (h & PackedType.ROWS - 1) / 2;
            IntVector low = IntVector.fromArray(I, scales, scaleAt + row), high = IntVector.fromArray(I, scales, scaleAt + row + 16);
            for (int c = 0; c < width; c++) {
                int at = c * ROWS + row;
                IntVector part = ShortVector.fromArray(S, parts, c * ROWS + h).reinterpretAsInts();
                IntVector p0 = part.lanewise(LSHL, 16).lanewise(ASHR, 16), p1 = part.lanewise(ASHR, 16);
                if (offset != 0) {
                    p0 = p0.add(offset * xSums[xAt + c]);
                    p1 = p1.add(offset * xSums[xAt + c]);
                }
                IntVector.fromArray(I, sums, at).add(p0.mul(low)).intoArray(sums, at);
                IntVector.fromArray(I, sums, at + 16).add(p1.mul(high)).intoArray(sums, at + 16);
            }
        }
    }

    /// Ends a block that is one run: `acc += (d * a) * part`, a being the columns' scale.
    void end(int dAt, float[] xScales, int scaleAt, int width, float[] acc, int accAt) {
        for (int h = 0; h < ROWS; h += 2 * L) {
            int row = (h & -PackedType.ROWS) + (h & PackedType.ROWS - 1) / 2;
            FloatVector low = FloatVector.fromArray(F, d, dAt + row), high = FloatVector.fromArray(F, d, dAt + row + 16);
            for (int c = 0; c < width; c++) {
                int at = accAt + c * ROWS + row;
                IntVector part = ShortVector.fromArray(S, parts, c * ROWS + h).reinterpretAsInts();
                low.mul(xScales[scaleAt + c])
                        .fma((FloatVector) part.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0), FloatVector.fromArray(F, acc, at))
                        .intoArray(acc, at);
                high.mul(xScales[scaleAt + c])
                        .fma((FloatVector) part.lanewise(ASHR, 16).convert(I2F, 0), FloatVector.fromArray(F, acc, at + 16))
                        .intoArray(acc, at + 16);
            }
        }
    }

    void clear(int width) {
        for (int i = 0; i < width * ROWS; i += L) IntVector.zero(I).intoArray(sums, i);
    }

    /// Ends a block: `acc += (d * a) * sums - (dmin * a) * sum(minimum * xSum)`, a being the columns' scale.
    ///
    /// @param groups of minimums, 0 when the type has none; each has `runs` runs
    void end(float[] xScales, int scaleAt, int groups, int runs, int[] xSums, int xAt, int width, float[] acc, int accAt) {
        for (int c = 0; c < width; c++) {
            float a = xScales[scaleAt + c];
            for (int row = 0; row < ROWS; row += L) {
                int at = accAt + c * ROWS + row;
                FloatVector y = FloatVector.fromArray(F, d, row).mul(a)
                        .fma((FloatVector) IntVector.fromArray(I, sums, c * ROWS + row).convert(I2F, 0), FloatVector.fromArray(F, acc, at));
                if (groups > 0) {
                    FloatVector m = FloatVector.zero(F); // whole numbers below 2^24: exact
                    for (int j = 0; j < groups; j++) {
                        int sum = xSums[xAt + j * runs * width + c];
                        if (runs == 2) sum += xSums[xAt + (j * 2 + 1) * width + c];
                        m = FloatVector.fromArray(F, minimums, j * ROWS + row).fma(FloatVector.broadcast(F, sum), m);
                    }
                    y = FloatVector.fromArray(F, dmin, row).mul(-a).fma(m, y);
                }
                y.intoArray(acc, at);
            }
        }
    }
}
