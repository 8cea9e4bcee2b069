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

/// Runs of Q5_K's values times a group of columns, straight from the lines, as [PackedBits4]: three values of a line each, then the one that
/// lies in what is left of five lines. That one is put together in the loop: a call is not always inlined, and then hands over boxes.
final class PackedBits5 {
    /// The bit that a line has left over in each half. In five lines it is shifted down by one before the next: the first ends in bit 11.
    private static final int TOP = 0x80008000;

    private PackedBits5() {}

    /// Sums of a block's runs.
    ///
    /// @param low where the first vector of rows begins in a block's first line
    /// @param high where the second one begins
    /// @param pieces in a run: five lines of 16 values each
    /// @param out takes `[run][width][ROWS]` from `to` on: the second vector behind the first
    static void runs(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int pieces, int[] x, int xAt,
            int[] biases, int biasAt,
            int width, short[] out, int to) {
        switch (width) {
            case 1 -> by1(low, lowAt, high, highAt, runs, pieces, x, xAt, biases, biasAt, out, to);
            case 2 -> by2(low, lowAt, high, highAt, runs, pieces, x, xAt, biases, biasAt, out, to);
            case 4 -> by4(low, lowAt, high, highAt, runs, pieces, x, xAt, biases, biasAt, out, to);
            default -> by8(low, lowAt, high, highAt, runs, pieces, x, xAt, biases, biasAt, out, to);
        }
    }

    private static void by8(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int pieces, int[] x,
            int xAt, int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 8, to += 8 * ROWS) {
            int at = (run * pieces * 5 + run * pieces / 2) * LINE;
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
            ShortVector a2 = IntVector.broadcast(I, biases[biasAt + 2]).reinterpretAsShorts(), e2 = a2;
            ShortVector a3 = IntVector.broadcast(I, biases[biasAt + 3]).reinterpretAsShorts(), e3 = a3;
            ShortVector a4 = IntVector.broadcast(I, biases[biasAt + 4]).reinterpretAsShorts(), e4 = a4;
            ShortVector a5 = IntVector.broadcast(I, biases[biasAt + 5]).reinterpretAsShorts(), e5 = a5;
            ShortVector a6 = IntVector.broadcast(I, biases[biasAt + 6]).reinterpretAsShorts(), e6 = a6;
            ShortVector a7 = IntVector.broadcast(I, biases[biasAt + 7]).reinterpretAsShorts(), e7 = a7;
            IntVector rest = IntVector.zero(I), rest2 = rest;
            for (int source = 0; source < 6 * pieces; source += one) {
                IntVector b, d;
                if (source % 6 < 5) {
                    b = IntVector.fromMemorySegment(I, low, lowAt + at, LE);
                    d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                    rest = rest.lanewise(LSHR, 1).or(b.and(TOP));
                    rest2 = rest2.lanewise(LSHR, 1).or(d.and(TOP));
                    at += LINE;
                } else {
                    b = rest.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    d = rest2.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    rest = rest2 = IntVector.zero(I);
                }
                for (int i = source % 6 < 5 ? 0 : 2; i < 3; i += one, xAt += 8) {
                    ShortVector v0 = b.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v1 = d.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 5);
                    d = d.lanewise(LSHR, 5);
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

    private static void by4(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int pieces, int[] x,
            int xAt, int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 4, to += 4 * ROWS) {
            int at = (run * pieces * 5 + run * pieces / 2) * LINE;
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
            ShortVector a2 = IntVector.broadcast(I, biases[biasAt + 2]).reinterpretAsShorts(), e2 = a2;
            ShortVector a3 = IntVector.broadcast(I, biases[biasAt + 3]).reinterpretAsShorts(), e3 = a3;
            IntVector rest = IntVector.zero(I), rest2 = rest;
            for (int source = 0; source < 6 * pieces; source += one) {
                IntVector b, d;
                if (source % 6 < 5) {
                    b = IntVector.fromMemorySegment(I, low, lowAt + at, LE);
                    d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                    rest = rest.lanewise(LSHR, 1).or(b.and(TOP));
                    rest2 = rest2.lanewise(LSHR, 1).or(d.and(TOP));
                    at += LINE;
                } else {
                    b = rest.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    d = rest2.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    rest = rest2 = IntVector.zero(I);
                }
                for (int i = source % 6 < 5 ? 0 : 2; i < 3; i += one, xAt += 4) {
                    ShortVector v0 = b.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v1 = d.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 5);
                    d = d.lanewise(LSHR, 5);
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

    private static void by2(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int pieces, int[] x,
            int xAt, int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 2, to += 2 * ROWS) {
            int at = (run * pieces * 5 + run * pieces / 2) * LINE;
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            ShortVector a1 = IntVector.broadcast(I, biases[biasAt + 1]).reinterpretAsShorts(), e1 = a1;
            IntVector rest = IntVector.zero(I), rest2 = rest;
            for (int source = 0; source < 6 * pieces; source += one) {
                IntVector b, d;
                if (source % 6 < 5) {
                    b = IntVector.fromMemorySegment(I, low, lowAt + at, LE);
                    d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                    rest = rest.lanewise(LSHR, 1).or(b.and(TOP));
                    rest2 = rest2.lanewise(LSHR, 1).or(d.and(TOP));
                    at += LINE;
                } else {
                    b = rest.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    d = rest2.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    rest = rest2 = IntVector.zero(I);
                }
                for (int i = source % 6 < 5 ? 0 : 2; i < 3; i += one, xAt += 2) {
                    ShortVector v0 = b.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v1 = d.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 5);
                    d = d.lanewise(LSHR, 5);
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

    private static void by1(MemorySegment low, long lowAt, MemorySegment high, long highAt, int runs, int pieces, int[] x,
            int xAt, int[] biases,
            int biasAt, short[] out, int to) {
        Mapped.mark(low, lowAt);
        Mapped.mark(high, highAt);
        int one = Lanes.ONE[0];
        for (int run = 0; run < runs; run++, biasAt += 1, to += 1 * ROWS) {
            int at = (run * pieces * 5 + run * pieces / 2) * LINE;
            ShortVector a0 = IntVector.broadcast(I, biases[biasAt]).reinterpretAsShorts(), e0 = a0;
            IntVector rest = IntVector.zero(I), rest2 = rest;
            for (int source = 0; source < 6 * pieces; source += one) {
                IntVector b, d;
                if (source % 6 < 5) {
                    b = IntVector.fromMemorySegment(I, low, lowAt + at, LE);
                    d = IntVector.fromMemorySegment(I, high, highAt + at, LE);
                    rest = rest.lanewise(LSHR, 1).or(b.and(TOP));
                    rest2 = rest2.lanewise(LSHR, 1).or(d.and(TOP));
                    at += LINE;
                } else {
                    b = rest.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    d = rest2.lanewise(LSHR, 11).and(PackedQ5_K.FIVE);
                    rest = rest2 = IntVector.zero(I);
                }
                for (int i = source % 6 < 5 ? 0 : 2; i < 3; i += one, xAt += 1) {
                    ShortVector v0 = b.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v1 = d.and(PackedQ5_K.FIVE).reinterpretAsShorts(), v;
                    b = b.lanewise(LSHR, 5);
                    d = d.lanewise(LSHR, 5);
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
