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
/// groups of up to [PackedOperand#GROUP] columns, two vectors of rows at a time.
///
/// ```
///   w        short[k][ROWS]            in the order of the lines: rows 0, 16, 1, 17 ...; the second panel behind the first
///   floats   float[k][32]              in place of w, for types that multiply as floats
///   scales   float[group][ROWS]        from here on in the order of rows; or as ints, as the type wants them
///   minimums float[group][ROWS]
///   d, dmin  float[ROWS]               d of each block
///   parts    short[run][column][ROWS]  sums of each run, in the order of the lines
/// ```
///
/// Methods are cut where vectors can rest in an array; a longer body makes the compiler load all columns first and spill them.
public final class PackedTile {
    /// Rows of a tile: two vectors of 16-bit values, at least a panel. One vector would do with less memory, but then half of the work
    /// is broadcasting columns.
    public static final int ROWS = Math.max(PackedType.ROWS, 4 * L);

    final short[] w = new short[256 * ROWS];
    final float[] floats = new float[128 * PackedType.ROWS];
    final float[] scales = new float[8 * ROWS];
    final int[] intScales = new int[16 * ROWS];
    final float[] minimums = new float[8 * ROWS];
    final float[] d = new float[8 * ROWS];
    final float[] dmin = new float[ROWS];
    final short[] parts = new short[32 * PackedOperand.GROUP * ROWS];

    /// Sums of `runs` runs of `count` values of k, for one group of columns.
    ///
    /// @param at of the first run's first k in [#w]
    void runs(int runs, int at, int count, int[] x, int xAt, int[] biases, int biasAt, int width) {
        for (int j = 0; j < runs; j++) {
            int w0 = at + j * count * ROWS, q = xAt + j * count * width, bias = biasAt + j * width, to = j * width * ROWS;
            for (int h = 0; h < ROWS; h += 4 * L) {
                switch (width) {
                    case 1 -> run1(w, w0 + h, count, x, q, biases, bias, parts, to + h);
                    case 2 -> run2(w, w0 + h, count, x, q, biases, bias, parts, to + h);
                    case 4 -> run4(w, w0 + h, count, x, q, biases, bias, parts, to + h);
                    default -> run8(w, w0 + h, count, x, q, biases, bias, parts, to + h);
                }
            }
        }
    }

    private static void run8(short[] w, int at, int count, int[] x, int xAt, int[] biases, int biasAt, short[] out, int to) {
        ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
        ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
        ShortVector a2 = IntVector.broadcast(I, biases[biasAt + 2]).reinterpretAsShorts(), e2 = a2;
        ShortVector a3 = IntVector.broadcast(I, biases[biasAt + 3]).reinterpretAsShorts(), e3 = a3;
        ShortVector a4 = IntVector.broadcast(I, biases[biasAt + 4]).reinterpretAsShorts(), e4 = a4;
        ShortVector a5 = IntVector.broadcast(I, biases[biasAt + 5]).reinterpretAsShorts(), e5 = a5;
        ShortVector a6 = IntVector.broadcast(I, biases[biasAt + 6]).reinterpretAsShorts(), e6 = a6;
        ShortVector a7 = IntVector.broadcast(I, biases[biasAt + 7]).reinterpretAsShorts(), e7 = a7;
        for (int k = 0; k < count; k++) {
            ShortVector w0 = ShortVector.fromArray(S, w, at + k * ROWS), w1 = ShortVector.fromArray(S, w, at + k * ROWS + 2 * L), v;
            int q = xAt + k * 8;
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
            v = IntVector.broadcast(I, x[q + 4]).reinterpretAsShorts();
            a4 = a4.add(w0.mul(v));
            e4 = e4.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 5]).reinterpretAsShorts();
            a5 = a5.add(w0.mul(v));
            e5 = e5.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 6]).reinterpretAsShorts();
            a6 = a6.add(w0.mul(v));
            e6 = e6.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 7]).reinterpretAsShorts();
            a7 = a7.add(w0.mul(v));
            e7 = e7.add(w1.mul(v));
        }
        a0.intoArray(out, to);
        e0.intoArray(out, to + 2 * L);
        a1.intoArray(out, to + ROWS);
        e1.intoArray(out, to + ROWS + 2 * L);
        a2.intoArray(out, to + 2 * ROWS);
        e2.intoArray(out, to + 2 * ROWS + 2 * L);
        a3.intoArray(out, to + 3 * ROWS);
        e3.intoArray(out, to + 3 * ROWS + 2 * L);
        a4.intoArray(out, to + 4 * ROWS);
        e4.intoArray(out, to + 4 * ROWS + 2 * L);
        a5.intoArray(out, to + 5 * ROWS);
        e5.intoArray(out, to + 5 * ROWS + 2 * L);
        a6.intoArray(out, to + 6 * ROWS);
        e6.intoArray(out, to + 6 * ROWS + 2 * L);
        a7.intoArray(out, to + 7 * ROWS);
        e7.intoArray(out, to + 7 * ROWS + 2 * L);
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
            int q = xAt + k * 2;
            v = IntVector.broadcast(I, x[q]).reinterpretAsShorts();
            a0 = a0.add(w0.mul(v));
            e0 = e0.add(w1.mul(v));
            v = IntVector.broadcast(I, x[q + 1]).reinterpretAsShorts();
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
            ShortVector w0 = ShortVector.fromArray(S, w, at + k * ROWS), w1 = ShortVector.fromArray(S, w, at + k * ROWS + 2 * L), v;
            v = IntVector.broadcast(I, x[xAt + k]).reinterpretAsShorts();
            a0 = a0.add(w0.mul(v));
            e0 = e0.add(w1.mul(v));
        }
        a0.intoArray(out, to);
        e0.intoArray(out, to + 2 * L);
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
}
