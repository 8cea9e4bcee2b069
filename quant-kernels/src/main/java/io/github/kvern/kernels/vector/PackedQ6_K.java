package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Q6_K, packed: 105 lines for 256 k (as large as in the file).
///
/// ```
///   8 times   4 times  3 lines A B C for 8 values of k; a half of A is q0 | q1 << 6 | (q6 & 15) << 12,
///                      of B q2 | q3 << 6 | (q7 & 15) << 12, of C q4 | q5 << 6 | (q6 >> 4) << 12 | (q7 >> 4) << 14
///             1 line   bytes: scales of two groups of 16: first of row i, of row i + 16, second of row i, of row i + 16
///   then      1 line   d, half floats
/// ```
///
/// Only eight products fit 16 bits whatever the activations are, 16 with most.
public final class PackedQ6_K extends PackedRuns {
    private static final int PAIR = 13 * LINE;
    static final int SIX = 0x003f003f;
    static final int HIGH = 0x00300030;

    public PackedQ6_K() {
        super(256, 105, 8, 16, 32, 32);
    }

    @Override
    public boolean pack(MemorySegment source, long at, long rowBytes, int rows, MemorySegment target, long to, int[] t) {
        int out = 64 * ROWS;
        words(source, at, rowBytes, rows, 52, t, 0);
        words(source, at + 206, rowBytes, rows, 1, t, 52 * ROWS);
        for (int j = 0; j < 8; j++) {
            for (int v = 0; v < 4; v++) eight(t, 32 * j + 8 * v, out + (13 * j + 3 * v) * 16);
            for (int i = 0; i < 16; i++) {
                int s = 16 * (j & 1), low = t[(48 + j / 2) * ROWS + i] >>> s, high = t[(48 + j / 2) * ROWS + 16 + i] >>> s;
                t[out + (13 * j + 12) * 16 + i] = low & 0xff | (high & 0xff) << 8 | (low & 0xff00) << 8 | (high & 0xff00) << 16;
            }
        }
        halves(t, 52 * ROWS, 16, t, out + 104 * 16);
        store(t, out, 105 * 16, target, to);
        return finite(t, out + 104 * 16);
    }

    /// Three lines for eight values from k on: they are in two words of low bits and two of high bits.
    private static void eight(int[] t, int k, int out) {
        int low = (k / 128 * 16 + k % 64 / 4) * ROWS, high = (32 + k / 128 * 8 + k % 32 / 4) * ROWS;
        int s = k / 64 % 2 * 4, u = k / 32 % 4 * 2;
        for (int i = 0; i < 32; i++) {
            int a = t[low + i] >>> s & 0x0f0f0f0f | (t[high + i] >>> u & 0x03030303) << 4;
            int b = t[low + ROWS + i] >>> s & 0x0f0f0f0f | (t[high + ROWS + i] >>> u & 0x03030303) << 4;
            t[60 * ROWS + i] = a & 63 | a >>> 2 & 0xfc0 | b >>> 4 & 0xf000;
            t[61 * ROWS + i] = a >>> 16 & 63 | a >>> 18 & 0xfc0 | b >>> 12 & 0xf000;
            t[62 * ROWS + i] = b & 63 | b >>> 2 & 0xfc0 | b >>> 8 & 0x3000 | b >>> 14 & 0xc000;
        }
        for (int i = 0; i < 3; i++) halves(t, (60 + i) * ROWS, 0, t, out + 16 * i);
    }

    @Override
    public void column(MemorySegment w, long at, int blocks, PackedOperand x, int before, float[] y) {
        int k = before * 256 * blocks;
        column(w, at, blocks, x.x, k, x.biases, k / 8, x.scales, k / 256, y);
    }

    private static void column(MemorySegment all, long at, int blocks, int[] q, int qAt, int[] biases, int biasAt, float[] scales,
            int scaleAt,
            float[] y) {
        Mapped.mark(all, at);
        for (int h = 0; h < ROWS; h += L) FloatVector.zero(F).intoArray(y, h);
        for (int i = 0; i < blocks; i++) {
            MemorySegment w = all.asSlice(at + i * (105L * LINE), 105 * LINE);
            float da = scales[scaleAt + i];
            for (int h = 0; h < 16; h += L) {
                IntVector p0 = IntVector.zero(I), p1 = p0;
                for (int j = 0; j < 16; j++) {
                    IntVector t0 = IntVector.zero(I), t1 = t0;
                    int from = (j >> 1) * PAIR + 4 * h;
                    for (int f = 0; f < 2; f++) {
                        int at8 = from + ((j & 1) * 2 + f) * (3 * LINE), run = i * 32 + j * 2 + f, k = qAt + run * 8;
                        IntVector a = IntVector.fromMemorySegment(I, w, at8, LE), b = IntVector.fromMemorySegment(I, w, at8 + LINE, LE),
                                c = IntVector.fromMemorySegment(I, w, at8 + 2 * LINE, LE);
                        ShortVector s = IntVector.broadcast(I, biases[biasAt + run]).reinterpretAsShorts(), e;
                        s = s.add(a.and(SIX).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k]).reinterpretAsShorts()));
                        e = a.lanewise(LSHR, 6).and(SIX).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 1]).reinterpretAsShorts());
                        s = s.add(b.and(SIX).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 2]).reinterpretAsShorts()));
                        e = e.add(b.lanewise(LSHR, 6).and(SIX).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 3]).reinterpretAsShorts()));
                        s = s.add(c.and(SIX).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 4]).reinterpretAsShorts()));
                        e = e.add(c.lanewise(LSHR, 6).and(SIX).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 5]).reinterpretAsShorts()));
                        s = s.add(a.lanewise(LSHR, 12).and(NIBBLE).or(c.lanewise(LSHR, 8).and(HIGH)).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 6]).reinterpretAsShorts()));
                        e = e.add(b.lanewise(LSHR, 12).and(NIBBLE).or(c.lanewise(LSHR, 10).and(HIGH)).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 7]).reinterpretAsShorts()));
                        IntVector r = s.add(e).reinterpretAsInts();
                        t0 = t0.add(r.lanewise(LSHL, 16).lanewise(ASHR, 16));
                        t1 = t1.add(r.lanewise(ASHR, 16));
                    }
                    IntVector s = IntVector.fromMemorySegment(I, w, from + 12 * LINE, LE);
                    if ((j & 1) == 0) s = s.lanewise(LSHL, 16);
                    p0 = p0.add(s.lanewise(LSHL, 8).lanewise(ASHR, 24).mul(t0));
                    p1 = p1.add(s.lanewise(ASHR, 24).mul(t1));
                }
                IntVector d = IntVector.fromMemorySegment(I, w, 104 * LINE + 4 * h, LE);
                d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma((FloatVector) p0.convert(I2F, 0), FloatVector.fromArray(F, y, h)).intoArray(y, h);
                d.lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma((FloatVector) p1.convert(I2F, 0), FloatVector.fromArray(F, y, 16 + h)).intoArray(y, 16 + h);
            }
        }
    }

    @Override
    void values(MemorySegment w, long at, PackedTile tile, int i, int panel) {
        values(w, at, tile.w, panel * ROWS);
    }

    @Override
    public void scales(MemorySegment w, long at, PackedTile tile, int i, int panel) {
        Mapped.mark(w, at);
        for (int h = 0; h < 16; h += L) {
            for (int j = 0; j < 8; j++) {
                IntVector s = IntVector.fromMemorySegment(I, w, at + j * PAIR + 12 * LINE + 4 * h, LE);
                for (int f = 0; f < 2; f++) {
                    int to = (2 * j + f) * PackedTile.ROWS + panel * ROWS + h;
                    IntVector v = f == 0 ? s.lanewise(LSHL, 16) : s;
                    v.lanewise(LSHL, 8).lanewise(ASHR, 24).intoArray(tile.intScales, to);
                    v.lanewise(ASHR, 24).intoArray(tile.intScales, to + 16);
                }
            }
            floats(w, at + 104 * LINE + 4 * h, tile.d, panel * ROWS + h);
        }
    }

    private static void values(MemorySegment w, long at, short[] out, int to) {
        Mapped.mark(w, at);
        for (int v = 0; v < 32; v++) {
            for (int h = 0; h < 16; h += L) {
                int from = v / 4 * PAIR + v % 4 * (3 * LINE) + 4 * h, o = to + 8 * v * PackedTile.ROWS + 2 * h;
                IntVector a = IntVector.fromMemorySegment(I, w, at + from, LE), b = IntVector.fromMemorySegment(I, w, at + from + LINE, LE),
                        c = IntVector.fromMemorySegment(I, w, at + from + 2 * LINE, LE);
                a.and(SIX).reinterpretAsShorts().intoArray(out, o);
                a.lanewise(LSHR, 6).and(SIX).reinterpretAsShorts().intoArray(out, o + PackedTile.ROWS);
                b.and(SIX).reinterpretAsShorts().intoArray(out, o + 2 * PackedTile.ROWS);
                b.lanewise(LSHR, 6).and(SIX).reinterpretAsShorts().intoArray(out, o + 3 * PackedTile.ROWS);
                c.and(SIX).reinterpretAsShorts().intoArray(out, o + 4 * PackedTile.ROWS);
                c.lanewise(LSHR, 6).and(SIX).reinterpretAsShorts().intoArray(out, o + 5 * PackedTile.ROWS);
                a.lanewise(LSHR, 12).and(NIBBLE).or(c.lanewise(LSHR, 8).and(HIGH)).reinterpretAsShorts().intoArray(out,
                        o + 6 * PackedTile.ROWS);
                b.lanewise(LSHR, 12).and(NIBBLE).or(c.lanewise(LSHR, 10).and(HIGH)).reinterpretAsShorts().intoArray(out,
                        o + 7 * PackedTile.ROWS);
            }
        }
    }

    @Override
    void lines(MemorySegment low, long lowAt, MemorySegment high, long highAt, int size, int[] x, int xAt, int[] biases,
            int biasAt, int width, short[] parts, int to) {
        PackedBits6.runs(low, lowAt, high, highAt, 256 / size, size / 8, x, xAt, biases, biasAt, width, parts, to);
    }

    @Override
    void end(PackedTile tile, int i, PackedOperand x, int at, boolean narrow, int width, float[] acc, int accAt) {
        if (narrow) PackedEnds.groups16by2(tile, x.scales, at / 256, width, acc, accAt);
        else PackedEnds.groups16(tile, x.scales, at / 256, width, acc, accAt);
    }
}
