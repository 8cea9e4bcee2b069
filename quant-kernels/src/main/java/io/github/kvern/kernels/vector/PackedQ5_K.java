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

/// Q5_K, packed: 90 lines for 256 k (+2.3 %).
///
/// ```
///   8 groups of   2 times  5 lines for 16 values of k: a half of line i is q3i | q3i+1 << 5 | q3i+2 << 10 | bit i of q15 << 15
///                 1 line   bytes: scale of row i, of row i + 16, minimum of row i, of row i + 16
///   then          1 line   d, half floats
///                 1 line   dmin, half floats
/// ```
public final class PackedQ5_K extends PackedRuns {
    private static final int GROUP = 11 * LINE;
    static final int FIVE = 0x001f001f;
    static final int BIT = 0x00010001;

    public PackedQ5_K() {
        super(256, 90, 16, 32, 16, 16);
    }

    @Override
    public boolean pack(MemorySegment source, long at, long rowBytes, int rows, MemorySegment target, long to, int[] t) {
        int out = 64 * ROWS;
        words(source, at, rowBytes, rows, 44, t, 0);
        for (int j = 0; j < 8; j++) {
            for (int f = 0; f < 2; f++) sixteen(t, j, f, out + (11 * j + 5 * f) * 16);
            PackedQ4_K.scales(t, j, out + (11 * j + 10) * 16);
        }
        halves(t, 0, 0, t, out + 88 * 16);
        halves(t, 0, 16, t, out + 89 * 16);
        store(t, out, 90 * 16, target, to);
        return finite(t, out + 88 * 16) && finite(t, out + 89 * 16);
    }

    /// Five lines for half a group: in four words of low bits and four words with a high bit for each group.
    private static void sixteen(int[] t, int j, int f, int out) {
        int low = (12 + j / 2 * 8 + 4 * f) * ROWS, high = (4 + 4 * f) * ROWS, s = j % 2 * 4, v = 56 * ROWS;
        for (int i = 0; i < 4 * ROWS; i++) t[v + i] = t[low + i] >>> s & 0x0f0f0f0f | (t[high + i] >>> j & 0x01010101) << 4;
        for (int l = 0; l < 5; l++) {
            int q0 = v + 3 * l / 4 * ROWS, q1 = v + (3 * l + 1) / 4 * ROWS, q2 = v + (3 * l + 2) / 4 * ROWS, q15 = v + 3 * ROWS;
            int s0 = 3 * l % 4 * 8, s1 = (3 * l + 1) % 4 * 8, s2 = (3 * l + 2) % 4 * 8;
            for (int i = 0; i < ROWS; i++) {
                t[60 * ROWS + i] = t[q0 + i] >>> s0 & 31 | (t[q1 + i] >>> s1 & 31) << 5 | (t[q2 + i] >>> s2 & 31) << 10
                        | (t[q15 + i] >>> 24 + l & 1) << 15;
            }
            halves(t, 60 * ROWS, 0, t, out + 16 * l);
        }
    }

    @Override
    public void column(MemorySegment w, long at, int blocks, PackedOperand x, int before, float[] y) {
        int k = before * 256 * blocks;
        column(w, at, blocks, x.x, k, x.biases, x.sums, k / 32, x.scales, k / 256, y);
    }

    private static void column(MemorySegment all, long at, int blocks, int[] q, int qAt, int[] biases, int[] sums, int sumAt,
            float[] scales, int scaleAt, float[] y) {
        Mapped.mark(all, at);
        for (int h = 0; h < ROWS; h += L) FloatVector.zero(F).intoArray(y, h);
        for (int i = 0; i < blocks; i++) {
            MemorySegment w = all.asSlice(at + i * (90L * LINE), 90 * LINE);
            float da = scales[scaleAt + i];
            for (int h = 0; h < 16; h += L) {
                IntVector p0 = IntVector.zero(I), p1 = p0, m0 = p0, m1 = p0;
                for (int j = 0; j < 8; j++) {
                    IntVector t0 = IntVector.zero(I), t1 = t0;
                    int sum = sums[sumAt + i * 8 + j];
                    for (int u = 0; u < 2; u++) {
                        int from = j * GROUP + u * (5 * LINE) + 4 * h, run = i * 16 + j * 2 + u, k = qAt + run * 16;
                        IntVector a = IntVector.fromMemorySegment(I, w, from, LE), b = IntVector.fromMemorySegment(I, w, from + LINE, LE),
                                c = IntVector.fromMemorySegment(I, w, from + 2 * LINE, LE),
                                f = IntVector.fromMemorySegment(I, w, from + 3 * LINE, LE),
                                g = IntVector.fromMemorySegment(I, w, from + 4 * LINE, LE);
                        ShortVector s = IntVector.broadcast(I, biases[2 * sumAt + run]).reinterpretAsShorts(), e;
                        s = s.add(a.and(FIVE).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k]).reinterpretAsShorts()));
                        e = a.lanewise(LSHR, 5).and(FIVE).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 1]).reinterpretAsShorts());
                        s = s.add(a.lanewise(LSHR, 10).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 2]).reinterpretAsShorts()));
                        e = e.add(b.and(FIVE).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 3]).reinterpretAsShorts()));
                        s = s.add(b.lanewise(LSHR, 5).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 4]).reinterpretAsShorts()));
                        e = e.add(b.lanewise(LSHR, 10).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 5]).reinterpretAsShorts()));
                        s = s.add(c.and(FIVE).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 6]).reinterpretAsShorts()));
                        e = e.add(c.lanewise(LSHR, 5).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 7]).reinterpretAsShorts()));
                        s = s.add(c.lanewise(LSHR, 10).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 8]).reinterpretAsShorts()));
                        e = e.add(f.and(FIVE).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 9]).reinterpretAsShorts()));
                        s = s.add(f.lanewise(LSHR, 5).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 10]).reinterpretAsShorts()));
                        e = e.add(f.lanewise(LSHR, 10).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 11]).reinterpretAsShorts()));
                        s = s.add(g.and(FIVE).reinterpretAsShorts().mul(IntVector.broadcast(I, q[k + 12]).reinterpretAsShorts()));
                        e = e.add(g.lanewise(LSHR, 5).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 13]).reinterpretAsShorts()));
                        s = s.add(g.lanewise(LSHR, 10).and(FIVE).reinterpretAsShorts()
                                .mul(IntVector.broadcast(I, q[k + 14]).reinterpretAsShorts()));
                        e = e.add(
                                a.lanewise(LSHR, 15).and(BIT).or(b.lanewise(LSHR, 14).and(BIT << 1)).or(c.lanewise(LSHR, 13).and(BIT << 2))
                                        .or(f.lanewise(LSHR, 12).and(BIT << 3)).or(g.lanewise(LSHR, 11).and(BIT << 4)).reinterpretAsShorts()
                                        .mul(IntVector.broadcast(I, q[k + 15]).reinterpretAsShorts()));
                        IntVector r = s.add(e).reinterpretAsInts();
                        t0 = t0.add(r.lanewise(LSHL, 16).lanewise(ASHR, 16));
                        t1 = t1.add(r.lanewise(ASHR, 16));
                    }
                    IntVector s = IntVector.fromMemorySegment(I, w, j * GROUP + 10 * LINE + 4 * h, LE);
                    p0 = p0.add(t0.add(16 * sum).mul(s.and(255)));
                    p1 = p1.add(t1.add(16 * sum).mul(s.lanewise(LSHR, 8).and(255)));
                    m0 = m0.add(s.lanewise(LSHR, 16).and(255).mul(sum));
                    m1 = m1.add(s.lanewise(LSHR, 24).mul(sum));
                }
                IntVector d = IntVector.fromMemorySegment(I, w, 88 * LINE + 4 * h, LE),
                        n = IntVector.fromMemorySegment(I, w, 89 * LINE + 4 * h, LE);
                FloatVector y0 = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma((FloatVector) p0.convert(I2F, 0), FloatVector.fromArray(F, y, h));
                FloatVector y1 = d.lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma((FloatVector) p1.convert(I2F, 0), FloatVector.fromArray(F, y, 16 + h));
                n.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(-da)
                        .fma((FloatVector) m0.convert(I2F, 0), y0).intoArray(y, h);
                n.lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(-da)
                        .fma((FloatVector) m1.convert(I2F, 0), y1).intoArray(y, 16 + h);
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
                IntVector s = IntVector.fromMemorySegment(I, w, at + j * GROUP + 10 * LINE + 4 * h, LE);
                int to = j * PackedTile.ROWS + panel * ROWS + h;
                ((FloatVector) s.and(255).convert(I2F, 0)).mul(PackedEnds.SCALE).intoArray(tile.scales, to);
                ((FloatVector) s.lanewise(LSHR, 8).and(255).convert(I2F, 0)).mul(PackedEnds.SCALE).intoArray(tile.scales, to + 16);
                ((FloatVector) s.lanewise(LSHR, 16).and(255).convert(I2F, 0)).intoArray(tile.minimums, to);
                ((FloatVector) s.lanewise(LSHR, 24).convert(I2F, 0)).intoArray(tile.minimums, to + 16);
            }
            floats(w, at + 88 * LINE + 4 * h, tile.d, panel * ROWS + h);
            floats(w, at + 89 * LINE + 4 * h, tile.dmin, panel * ROWS + h);
        }
    }

    private static void values(MemorySegment w, long at, short[] out, int to) {
        Mapped.mark(w, at);
        for (int run = 0; run < 16; run++) {
            for (int h = 0; h < 16; h += L) {
                int from = run / 2 * GROUP + run % 2 * (5 * LINE) + 4 * h, o = to + 16 * run * PackedTile.ROWS + 2 * h;
                for (int l = 0; l < 5; l++) {
                    IntVector v = IntVector.fromMemorySegment(I, w, at + from + l * LINE, LE);
                    v.and(FIVE).reinterpretAsShorts().intoArray(out, o + 3 * l * PackedTile.ROWS);
                    v.lanewise(LSHR, 5).and(FIVE).reinterpretAsShorts().intoArray(out, o + (3 * l + 1) * PackedTile.ROWS);
                    v.lanewise(LSHR, 10).and(FIVE).reinterpretAsShorts().intoArray(out, o + (3 * l + 2) * PackedTile.ROWS);
                }
                IntVector a = IntVector.fromMemorySegment(I, w, at + from, LE), b = IntVector.fromMemorySegment(I, w, at + from + LINE, LE),
                        c = IntVector.fromMemorySegment(I, w, at + from + 2 * LINE, LE),
                        f = IntVector.fromMemorySegment(I, w, at + from + 3 * LINE, LE),
                        g = IntVector.fromMemorySegment(I, w, at + from + 4 * LINE, LE);
                a.lanewise(LSHR, 15).and(BIT).or(b.lanewise(LSHR, 14).and(BIT << 1)).or(c.lanewise(LSHR, 13).and(BIT << 2))
                        .or(f.lanewise(LSHR, 12).and(BIT << 3)).or(g.lanewise(LSHR, 11).and(BIT << 4)).reinterpretAsShorts()
                        .intoArray(out, o + 15 * PackedTile.ROWS);
            }
        }
    }

    @Override
    void lines(MemorySegment low, long lowAt, MemorySegment high, long highAt, int size, int[] x, int xAt, int[] biases,
            int biasAt, int width, short[] parts, int to) {
        PackedBits5.runs(low, lowAt, high, highAt, 256 / size, size / 16, x, xAt, biases, biasAt, width, parts, to);
    }

    @Override
    void end(PackedTile tile, int i, PackedOperand x, int at, boolean narrow, int width, float[] acc, int accAt) {
        if (narrow) PackedEnds.groups8by2(tile, 16, x.scales, at / 256, x.floatSums, at / 32, width, acc, accAt);
        else PackedEnds.groups8(tile, 16, x.scales, at / 256, x.floatSums, at / 32, width, acc, accAt);
    }
}
