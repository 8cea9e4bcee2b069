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

/// The ends of blocks: from the sums of runs in a tile's parts to results. All sums are whole numbers and exact, as ints or as floats
/// below 2^24, so their order does not matter; what is rounded is the block's sum, once, and then as the type says.
///
/// A part of the upper half of a lane is a float with its lower half cut off, one of the lower half when it is shifted up: both times
/// 2^16, which the scales take back ([#SCALE]).
final class PackedEnds {
    /// What the float scales of a tile are multiplied with.
    static final float SCALE = 0x1p-16f;
    private static final int HIGH = 0xffff0000;

    /// Whether there are 32 registers.
    private static final boolean FOUR = L == 16;

    private PackedEnds() {}

    /// The first of 16 rows whose parts are the low halves of the vector at `h` of a column's parts; the high halves are 16 rows on.
    private static int row(int h) {
        return (h & -PackedType.ROWS) + (h & PackedType.ROWS - 1) / 2;
    }

    /// Ends a block of eight groups, each of one run with a scale and a minimum:
    /// `acc += (d * a) * sum(scale * (part + offset * xSum)) - (dmin * a) * sum(minimum * xSum)`, a being the columns' scale.
    ///
    /// The sums of scale * part are at most 8 * 63 * 32767, of scale * xSum and of minimum * xSum 8 * 63 * 4064. Two columns at a time;
    /// an only one is taken twice. What takes longest is reading scales, minimums and parts, each of two lines of the cache, since arrays do
    /// not begin on the boundary of one: without an offset there are registers for four columns at a time, with 512 bits.
    static void groups8(PackedTile tile, int offset, float[] xScales, int scaleAt, float[] xSums, int xAt, int width, float[] acc,
            int accAt) {
        if (FOUR && offset == 0 && width >= 4) {
            for (int c = 0; c < width; c += 4)
                for (int h = 0; h < PackedTile.ROWS; h += 2 * L)
                    four8(tile.parts, c * PackedTile.ROWS + h, width, tile.scales, tile.minimums, row(h), tile.d, tile.dmin, xScales,
                            scaleAt + c, xSums, xAt + c, acc, accAt + c * PackedTile.ROWS + row(h));
            return;
        }
        for (int c = 0; c < width; c += 2) {
            int next = width == 1 ? 0 : 1;
            for (int h = 0; h < PackedTile.ROWS; h += 2 * L)
                groups8(tile.parts, c * PackedTile.ROWS + h, next, width, tile.scales, tile.minimums, row(h), tile.d, tile.dmin,
                        offset * 0x1p16f,
                        xScales, scaleAt + c, xSums, xAt + c, acc, accAt + c * PackedTile.ROWS + row(h));
        }
    }

    private static void groups8(short[] parts, int at, int next, int width, float[] scales, float[] minimums, int row, float[] d,
            float[] dmin,
            float offset, float[] xScales, int scaleAt, float[] xSums, int xAt, float[] acc, int accAt) {
        FloatVector p0 = FloatVector.zero(F), p1 = p0, s0 = p0, s1 = p0, m0 = p0, m1 = p0;
        FloatVector q0 = p0, q1 = p0, t0 = p0, t1 = p0, n0 = p0, n1 = p0;
        for (int j = 0; j < 8; j++) {
            int g = j * PackedTile.ROWS + row, from = at + j * width * PackedTile.ROWS, x = xAt + j * width;
            FloatVector scale0 = FloatVector.fromArray(F, scales, g), scale1 = FloatVector.fromArray(F, scales, g + 16);
            FloatVector min0 = FloatVector.fromArray(F, minimums, g), min1 = FloatVector.fromArray(F, minimums, g + 16);
            IntVector a = ShortVector.fromArray(S, parts, from).reinterpretAsInts(),
                    b = ShortVector.fromArray(S, parts, from + next * PackedTile.ROWS).reinterpretAsInts();
            FloatVector v = FloatVector.broadcast(F, xSums[x]), w = FloatVector.broadcast(F, xSums[x + next]);
            p0 = scale0.fma((FloatVector) a.lanewise(LSHL, 16).convert(I2F, 0), p0);
            p1 = scale1.fma((FloatVector) a.and(HIGH).convert(I2F, 0), p1);
            s0 = scale0.fma(v, s0);
            s1 = scale1.fma(v, s1);
            m0 = min0.fma(v, m0);
            m1 = min1.fma(v, m1);
            q0 = scale0.fma((FloatVector) b.lanewise(LSHL, 16).convert(I2F, 0), q0);
            q1 = scale1.fma((FloatVector) b.and(HIGH).convert(I2F, 0), q1);
            t0 = scale0.fma(w, t0);
            t1 = scale1.fma(w, t1);
            n0 = min0.fma(w, n0);
            n1 = min1.fma(w, n1);
        }
        FloatVector d0 = FloatVector.fromArray(F, d, row), d1 = FloatVector.fromArray(F, d, row + 16), f = FloatVector.broadcast(F, offset);
        FloatVector e0 = FloatVector.fromArray(F, dmin, row), e1 = FloatVector.fromArray(F, dmin, row + 16);
        int to = accAt + next * PackedTile.ROWS;
        float scale = xScales[scaleAt], scale2 = xScales[scaleAt + next];
        FloatVector y0 = d0.mul(scale).fma(f.fma(s0, p0), FloatVector.fromArray(F, acc, accAt)),
                y1 = d1.mul(scale).fma(f.fma(s1, p1), FloatVector.fromArray(F, acc, accAt + 16)),
                z0 = d0.mul(scale2).fma(f.fma(t0, q0), FloatVector.fromArray(F, acc, to)),
                z1 = d1.mul(scale2).fma(f.fma(t1, q1), FloatVector.fromArray(F, acc, to + 16));
        e0.mul(-scale).fma(m0, y0).intoArray(acc, accAt);
        e1.mul(-scale).fma(m1, y1).intoArray(acc, accAt + 16);
        e0.mul(-scale2).fma(n0, z0).intoArray(acc, to);
        e1.mul(-scale2).fma(n1, z1).intoArray(acc, to + 16);
    }

    private static void four8(short[] parts, int at, int width, float[] scales, float[] minimums, int row, float[] d, float[] dmin,
            float[] xScales, int scaleAt, float[] xSums, int xAt, float[] acc, int accAt) {
        FloatVector p0 = FloatVector.zero(F), q0 = p0, m0 = p0, n0 = p0, p1 = p0, q1 = p0, m1 = p0, n1 = p0;
        FloatVector p2 = FloatVector.zero(F), q2 = p2, m2 = p2, n2 = p2, p3 = p2, q3 = p2, m3 = p2, n3 = p2;
        for (int j = 0; j < 8; j++) {
            int g = j * PackedTile.ROWS + row, from = at + j * width * PackedTile.ROWS, x = xAt + j * width;
            FloatVector scale0 = FloatVector.fromArray(F, scales, g), scale1 = FloatVector.fromArray(F, scales, g + 16);
            FloatVector min0 = FloatVector.fromArray(F, minimums, g), min1 = FloatVector.fromArray(F, minimums, g + 16), v;
            IntVector a;
            a = ShortVector.fromArray(S, parts, from).reinterpretAsInts();
            v = FloatVector.broadcast(F, xSums[x]);
            p0 = scale0.fma((FloatVector) a.lanewise(LSHL, 16).convert(I2F, 0), p0);
            q0 = scale1.fma((FloatVector) a.and(HIGH).convert(I2F, 0), q0);
            m0 = min0.fma(v, m0);
            n0 = min1.fma(v, n0);
            a = ShortVector.fromArray(S, parts, from + PackedTile.ROWS).reinterpretAsInts();
            v = FloatVector.broadcast(F, xSums[x + 1]);
            p1 = scale0.fma((FloatVector) a.lanewise(LSHL, 16).convert(I2F, 0), p1);
            q1 = scale1.fma((FloatVector) a.and(HIGH).convert(I2F, 0), q1);
            m1 = min0.fma(v, m1);
            n1 = min1.fma(v, n1);
            a = ShortVector.fromArray(S, parts, from + 2 * PackedTile.ROWS).reinterpretAsInts();
            v = FloatVector.broadcast(F, xSums[x + 2]);
            p2 = scale0.fma((FloatVector) a.lanewise(LSHL, 16).convert(I2F, 0), p2);
            q2 = scale1.fma((FloatVector) a.and(HIGH).convert(I2F, 0), q2);
            m2 = min0.fma(v, m2);
            n2 = min1.fma(v, n2);
            a = ShortVector.fromArray(S, parts, from + 3 * PackedTile.ROWS).reinterpretAsInts();
            v = FloatVector.broadcast(F, xSums[x + 3]);
            p3 = scale0.fma((FloatVector) a.lanewise(LSHL, 16).convert(I2F, 0), p3);
            q3 = scale1.fma((FloatVector) a.and(HIGH).convert(I2F, 0), q3);
            m3 = min0.fma(v, m3);
            n3 = min1.fma(v, n3);
        }
        FloatVector d0 = FloatVector.fromArray(F, d, row), d1 = FloatVector.fromArray(F, d, row + 16);
        FloatVector e0 = FloatVector.fromArray(F, dmin, row), e1 = FloatVector.fromArray(F, dmin, row + 16);
        float s;
        int to = accAt;
        s = xScales[scaleAt];
        e0.mul(-s).fma(m0, d0.mul(s).fma(p0, FloatVector.fromArray(F, acc, to))).intoArray(acc, to);
        e1.mul(-s).fma(n0, d1.mul(s).fma(q0, FloatVector.fromArray(F, acc, to + 16))).intoArray(acc, to + 16);
        to += PackedTile.ROWS;
        s = xScales[scaleAt + 1];
        e0.mul(-s).fma(m1, d0.mul(s).fma(p1, FloatVector.fromArray(F, acc, to))).intoArray(acc, to);
        e1.mul(-s).fma(n1, d1.mul(s).fma(q1, FloatVector.fromArray(F, acc, to + 16))).intoArray(acc, to + 16);
        to += PackedTile.ROWS;
        s = xScales[scaleAt + 2];
        e0.mul(-s).fma(m2, d0.mul(s).fma(p2, FloatVector.fromArray(F, acc, to))).intoArray(acc, to);
        e1.mul(-s).fma(n2, d1.mul(s).fma(q2, FloatVector.fromArray(F, acc, to + 16))).intoArray(acc, to + 16);
        to += PackedTile.ROWS;
        s = xScales[scaleAt + 3];
        e0.mul(-s).fma(m3, d0.mul(s).fma(p3, FloatVector.fromArray(F, acc, to))).intoArray(acc, to);
        e1.mul(-s).fma(n3, d1.mul(s).fma(q3, FloatVector.fromArray(F, acc, to + 16))).intoArray(acc, to + 16);
    }

    /// The same, each group of two runs.
    static void groups8by2(PackedTile tile, int offset, float[] xScales, int scaleAt, float[] xSums, int xAt, int width, float[] acc,
            int accAt) {
        for (int c = 0; c < width; c++) {
            for (int h = 0; h < PackedTile.ROWS; h += 2 * L) {
                int row = row(h);
                FloatVector p0 = FloatVector.zero(F), p1 = p0, s0 = p0, s1 = p0, m0 = p0, m1 = p0;
                for (int j = 0; j < 16; j++) {
                    int g = j / 2 * PackedTile.ROWS + row;
                    IntVector part = ShortVector.fromArray(S, tile.parts, (j * width + c) * PackedTile.ROWS + h).reinterpretAsInts();
                    p0 = FloatVector.fromArray(F, tile.scales, g).fma((FloatVector) part.lanewise(LSHL, 16).convert(I2F, 0), p0);
                    p1 = FloatVector.fromArray(F, tile.scales, g + 16).fma((FloatVector) part.and(HIGH).convert(I2F, 0), p1);
                    if ((j & 1) == 1) continue;
                    FloatVector v = FloatVector.broadcast(F, xSums[xAt + j / 2 * width + c]);
                    s0 = FloatVector.fromArray(F, tile.scales, g).fma(v, s0);
                    s1 = FloatVector.fromArray(F, tile.scales, g + 16).fma(v, s1);
                    m0 = FloatVector.fromArray(F, tile.minimums, g).fma(v, m0);
                    m1 = FloatVector.fromArray(F, tile.minimums, g + 16).fma(v, m1);
                }
                float scale = xScales[scaleAt + c];
                int at = accAt + c * PackedTile.ROWS + row;
                FloatVector f = FloatVector.broadcast(F, offset * 0x1p16f);
                FloatVector y0 = FloatVector.fromArray(F, tile.d, row).mul(scale).fma(f.fma(s0, p0), FloatVector.fromArray(F, acc, at)),
                        y1 = FloatVector.fromArray(F, tile.d, row + 16).mul(scale).fma(f.fma(s1, p1),
                                FloatVector.fromArray(F, acc, at + 16));
                FloatVector.fromArray(F, tile.dmin, row).mul(-scale).fma(m0, y0).intoArray(acc, at);
                FloatVector.fromArray(F, tile.dmin, row + 16).mul(-scale).fma(m1, y1).intoArray(acc, at + 16);
            }
        }
    }

    /// Ends a block of 16 groups, each of one run with a scale: `acc += (d * a) * sum(scale * part)`. Two columns at a time.
    static void groups16(PackedTile tile, float[] xScales, int scaleAt, int width, float[] acc, int accAt) {
        for (int c = 0; c < width; c += 2) {
            int next = width == 1 ? 0 : 1;
            for (int h = 0; h < PackedTile.ROWS; h += 2 * L)
                groups16(tile.parts, c * PackedTile.ROWS + h, next, width, tile.intScales, row(h), tile.d, xScales, scaleAt + c, acc,
                        accAt + c * PackedTile.ROWS + row(h));
        }
    }

    private static void groups16(short[] parts, int at, int next, int width, int[] scales, int row, float[] d, float[] xScales, int scaleAt,
            float[] acc, int accAt) {
        IntVector p0 = IntVector.zero(I), p1 = p0, q0 = p0, q1 = p0;
        for (int j = 0; j < 16; j++) {
            int g = j * PackedTile.ROWS + row, from = at + j * width * PackedTile.ROWS;
            IntVector scale0 = IntVector.fromArray(I, scales, g), scale1 = IntVector.fromArray(I, scales, g + 16);
            IntVector a = ShortVector.fromArray(S, parts, from).reinterpretAsInts(),
                    b = ShortVector.fromArray(S, parts, from + next * PackedTile.ROWS).reinterpretAsInts();
            p0 = p0.add(a.lanewise(LSHL, 16).lanewise(ASHR, 16).mul(scale0));
            p1 = p1.add(a.lanewise(ASHR, 16).mul(scale1));
            q0 = q0.add(b.lanewise(LSHL, 16).lanewise(ASHR, 16).mul(scale0));
            q1 = q1.add(b.lanewise(ASHR, 16).mul(scale1));
        }
        FloatVector d0 = FloatVector.fromArray(F, d, row), d1 = FloatVector.fromArray(F, d, row + 16);
        int to = accAt + next * PackedTile.ROWS;
        float scale = xScales[scaleAt], scale2 = xScales[scaleAt + next];
        FloatVector y0 = d0.mul(scale).fma((FloatVector) p0.convert(I2F, 0), FloatVector.fromArray(F, acc, accAt)),
                y1 = d1.mul(scale).fma((FloatVector) p1.convert(I2F, 0), FloatVector.fromArray(F, acc, accAt + 16)),
                z0 = d0.mul(scale2).fma((FloatVector) q0.convert(I2F, 0), FloatVector.fromArray(F, acc, to)),
                z1 = d1.mul(scale2).fma((FloatVector) q1.convert(I2F, 0), FloatVector.fromArray(F, acc, to + 16));
        y0.intoArray(acc, accAt);
        y1.intoArray(acc, accAt + 16);
        z0.intoArray(acc, to);
        z1.intoArray(acc, to + 16);
    }

    /// The same, each group of two runs.
    static void groups16by2(PackedTile tile, float[] xScales, int scaleAt, int width, float[] acc, int accAt) {
        for (int c = 0; c < width; c++) {
            for (int h = 0; h < PackedTile.ROWS; h += 2 * L) {
                int row = row(h), at = accAt + c * PackedTile.ROWS + row;
                IntVector p0 = IntVector.zero(I), p1 = p0;
                for (int j = 0; j < 32; j++) {
                    int g = j / 2 * PackedTile.ROWS + row;
                    IntVector part = ShortVector.fromArray(S, tile.parts, (j * width + c) * PackedTile.ROWS + h).reinterpretAsInts();
                    p0 = p0.add(part.lanewise(LSHL, 16).lanewise(ASHR, 16).mul(IntVector.fromArray(I, tile.intScales, g)));
                    p1 = p1.add(part.lanewise(ASHR, 16).mul(IntVector.fromArray(I, tile.intScales, g + 16)));
                }
                float scale = xScales[scaleAt + c];
                FloatVector.fromArray(F, tile.d, row).mul(scale).fma((FloatVector) p0.convert(I2F, 0), FloatVector.fromArray(F, acc, at))
                        .intoArray(acc, at);
                FloatVector.fromArray(F, tile.d, row + 16).mul(scale)
                        .fma((FloatVector) p1.convert(I2F, 0), FloatVector.fromArray(F, acc, at + 16)).intoArray(acc, at + 16);
            }
        }
    }
}
