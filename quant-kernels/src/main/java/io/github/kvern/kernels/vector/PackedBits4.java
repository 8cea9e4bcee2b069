package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.PackedTile.ROWS;
import static io.github.kvern.kernels.vector.PackedType.LINE;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Runs of values of four bits times a group of columns, straight from the lines ([PackedRuns#direct]): of Q4_K and Q4_0.
///
/// A value is cut out of two lines in registers, two vectors of rows, and multiplied with all columns before the next one. The loops are
/// not unrolled ([Lanes#ONE]): the compiler would load the columns of several values first and spill them. For the same reason each type
/// has its own loops, written out for each width of a group.
final class PackedBits4 {
    private PackedBits4() {}

    /// Sums of a block's runs.
    ///
    /// @param low where the first vector of rows begins in a block's first line
    /// @param high where the second one begins
    /// @param out takes `[run][width][ROWS]` from `to` on: the second vector behind the first
    static void runs(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int[] x, int xAt, int[] biases,
            int biasAt,
            int width, short[] out, int to) {
        switch (width) {
            case 1 -> by1(low, lowAt, high, highAt, runs, x, xAt, biases, biasAt, out, to);
            case 2 -> by2(low, lowAt, high, highAt, runs, x, xAt, biases, biasAt, out, to);
            case 4 -> by4(low, lowAt, high, highAt, runs, x, xAt, biases, biasAt, out, to);
            default -> by8(low, lowAt, high, highAt, runs, x, xAt, biases, biasAt, out, to);
        }
    }

    private static void by8(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int[] x, int xAt,
            int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 8, to += 8 * ROWS) {
            int at = run * (9 * LINE);
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
            ShortVector a2 = IntVector.broadcast(I, biases[biasAt + 2]).reinterpretAsShorts(), e2 = a2;
            ShortVector a3 = IntVector.broadcast(I, biases[biasAt + 3]).reinterpretAsShorts(), e3 = a3;
            ShortVector a4 = IntVector.broadcast(I, biases[biasAt + 4]).reinterpretAsShorts(), e4 = a4;
            ShortVector a5 = IntVector.broadcast(I, biases[biasAt + 5]).reinterpretAsShorts(), e5 = a5;
            ShortVector a6 = IntVector.broadcast(I, biases[biasAt + 6]).reinterpretAsShorts(), e6 = a6;
            ShortVector a7 = IntVector.broadcast(I, biases[biasAt + 7]).reinterpretAsShorts(), e7 = a7;
            for (int line = 0; line < 8; line += one, at += LINE) {
                IntVector b = IntVector.fromMemorySegment(I, low, lowAt + at, LE),
                        d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                for (int i = 0; i < 4; i += one, xAt += 8) {
                    ShortVector v0 = b.and(PackedType.NIBBLE).reinterpretAsShorts(), v1 = d.and(PackedType.NIBBLE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 4);
                    d = d.lanewise(LSHR, 4);
                    v = IntVector.broadcast(I, x[xAt]).reinterpretAsShorts();
                    a0 = a0.add(v0.mul(v));
                    e0 = e0.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 1]).reinterpretAsShorts();
                    a1 = a1.add(v0.mul(v));
                    e1 = e1.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 2]).reinterpretAsShorts();
                    a2 = a2.add(v0.mul(v));
                    e2 = e2.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 3]).reinterpretAsShorts();
                    a3 = a3.add(v0.mul(v));
                    e3 = e3.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 4]).reinterpretAsShorts();
                    a4 = a4.add(v0.mul(v));
                    e4 = e4.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 5]).reinterpretAsShorts();
                    a5 = a5.add(v0.mul(v));
                    e5 = e5.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 6]).reinterpretAsShorts();
                    a6 = a6.add(v0.mul(v));
                    e6 = e6.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 7]).reinterpretAsShorts();
                    a7 = a7.add(v0.mul(v));
                    e7 = e7.add(v1.mul(v));
                }
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
    }

    private static void by4(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int[] x, int xAt,
            int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 4, to += 4 * ROWS) {
            int at = run * (9 * LINE);
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
            ShortVector a2 = IntVector.broadcast(I, biases[biasAt + 2]).reinterpretAsShorts(), e2 = a2;
            ShortVector a3 = IntVector.broadcast(I, biases[biasAt + 3]).reinterpretAsShorts(), e3 = a3;
            for (int line = 0; line < 8; line += one, at += LINE) {
                IntVector b = IntVector.fromMemorySegment(I, low, lowAt + at, LE),
                        d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                for (int i = 0; i < 4; i += one, xAt += 4) {
                    ShortVector v0 = b.and(PackedType.NIBBLE).reinterpretAsShorts(), v1 = d.and(PackedType.NIBBLE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 4);
                    d = d.lanewise(LSHR, 4);
                    v = IntVector.broadcast(I, x[xAt]).reinterpretAsShorts();
                    a0 = a0.add(v0.mul(v));
                    e0 = e0.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 1]).reinterpretAsShorts();
                    a1 = a1.add(v0.mul(v));
                    e1 = e1.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 2]).reinterpretAsShorts();
                    a2 = a2.add(v0.mul(v));
                    e2 = e2.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 3]).reinterpretAsShorts();
                    a3 = a3.add(v0.mul(v));
                    e3 = e3.add(v1.mul(v));
                }
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
    }

    private static void by2(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int[] x, int xAt,
            int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 2, to += 2 * ROWS) {
            int at = run * (9 * LINE);
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
            for (int line = 0; line < 8; line += one, at += LINE) {
                IntVector b = IntVector.fromMemorySegment(I, low, lowAt + at, LE),
                        d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                for (int i = 0; i < 4; i += one, xAt += 2) {
                    ShortVector v0 = b.and(PackedType.NIBBLE).reinterpretAsShorts(), v1 = d.and(PackedType.NIBBLE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 4);
                    d = d.lanewise(LSHR, 4);
                    v = IntVector.broadcast(I, x[xAt]).reinterpretAsShorts();
                    a0 = a0.add(v0.mul(v));
                    e0 = e0.add(v1.mul(v));
                    v = IntVector.broadcast(I, x[xAt + 1]).reinterpretAsShorts();
                    a1 = a1.add(v0.mul(v));
                    e1 = e1.add(v1.mul(v));
                }
            }
            a0.intoArray(out, to);
            e0.intoArray(out, to + 2 * L);
            a1.intoArray(out, to + ROWS);
            e1.intoArray(out, to + ROWS + 2 * L);
        }
    }

    private static void by1(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int[] x, int xAt,
            int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 1, to += 1 * ROWS) {
            int at = run * (9 * LINE);
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            for (int line = 0; line < 8; line += one, at += LINE) {
                IntVector b = IntVector.fromMemorySegment(I, low, lowAt + at, LE),
                        d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                for (int i = 0; i < 4; i += one, xAt += 1) {
                    ShortVector v0 = b.and(PackedType.NIBBLE).reinterpretAsShorts(), v1 = d.and(PackedType.NIBBLE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 4);
                    d = d.lanewise(LSHR, 4);
                    v = IntVector.broadcast(I, x[xAt]).reinterpretAsShorts();
                    a0 = a0.add(v0.mul(v));
                    e0 = e0.add(v1.mul(v));
                }
            }
            a0.intoArray(out, to);
            e0.intoArray(out, to + 2 * L);
        }
    }
}
