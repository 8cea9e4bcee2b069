package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.Lanes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Q4_K, packed: 74 lines for 256 k (+2.8 %).
///
/// ```
///   8 groups of   8 lines  four values of k in a half, the first in the lowest bits
///                 1 line   bytes: scale of row i, of row i + 16, minimum of row i, of row i + 16
///   then          1 line   d, half floats
///                 1 line   dmin, half floats
/// ```
public final class PackedQ4_K extends PackedRuns {
    private static final int GROUP = 9 * LINE;

    public PackedQ4_K() {
        super(256, 74, 32, 32, 8, 0);
    }

    @Override
    public boolean pack(MemorySegment source, long at, long rowBytes, int rows, MemorySegment target, long to, int[] t) {
        int out = 64 * ROWS;
        words(source, at, rowBytes, rows, 36, t, 0);
        for (int pair = 0; pair < 4; pair++) {
            for (int v = 0; v < 8; v++) {
                int in = (4 + 8 * pair + v) * ROWS;
                for (int i = 0; i < ROWS; i++) t[in + i] = nibbles(t[in + i]) | nibbles(t[in + i] >>> 4) << 16;
                halves(t, in, 0, t, out + (18 * pair + v) * 16);
                halves(t, in, 16, t, out + (18 * pair + 9 + v) * 16);
            }
        }
        for (int j = 0; j < 8; j++) scales(t, j, out + (9 * j + 8) * 16);
        halves(t, 0, 0, t, out + 72 * 16);
        halves(t, 0, 16, t, out + 73 * 16);
        store(t, out, 74 * 16, target, to);
        return finite(t, out + 72 * 16) && finite(t, out + 73 * 16);
    }

    /// The low nibbles of four bytes, side by side.
    static int nibbles(int v) {
        v &= 0x0f0f0f0f;
        v = (v | v >>> 4) & 0x00ff00ff;
        return (v | v >>> 8) & 0xffff;
    }

    /// A line of scales and minimums from words 1 to 3 of each row.
    static void scales(int[] t, int j, int out) {
        for (int i = 0; i < 16; i++) {
            t[out + i] = scale(t, j, i) | scale(t, j, i + 16) << 8 | minimum(t, j, i) << 16 | minimum(t, j, i + 16) << 24;
        }
    }

    private static int scale(int[] t, int j, int row) {
        int s = 8 * (j & 3), a = t[ROWS + row], c = t[3 * ROWS + row];
        return j < 4 ? a >>> s & 63 : c >>> s & 15 | (a >>> s + 6 & 3) << 4;
    }

    private static int minimum(int[] t, int j, int row) {
        int s = 8 * (j & 3), b = t[2 * ROWS + row], c = t[3 * ROWS + row];
        return j < 4 ? b >>> s & 63 : c >>> s + 4 & 15 | (b >>> s + 6 & 3) << 4;
    }

    @Override
    boolean hasFactors() {
        return true;
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
            MemorySegment w = all.asSlice(at + i * (74L * LINE), 74 * LINE);
            float da = scales[scaleAt + i];
            for (int h = 0; h < 16; h += L) {
                IntVector p0 = IntVector.zero(I), p1 = p0, m0 = p0, m1 = p0;
                for (int j = 0; j < 8; j++) {
                    int from = j * GROUP + 4 * h, k = qAt + i * 256 + j * 32, sum = sums[sumAt + i * 8 + j];
                    ShortVector a = IntVector.broadcast(I, biases[sumAt + i * 8 + j]).reinterpretAsShorts(), e = ShortVector.zero(S);
                    for (int v = 0; v < 8; v++, k += 4) {
                        ShortVector b = IntVector.fromMemorySegment(I, w, from + v * LINE, LE).reinterpretAsShorts();
                        a = a.add(b.mul(IntVector.broadcast(I, q[k]).reinterpretAsShorts()));
                        e = e.add(b.lanewise(LSHR, 4).mul(IntVector.broadcast(I, q[k + 1]).reinterpretAsShorts()));
                        a = a.add(b.lanewise(LSHR, 8).mul(IntVector.broadcast(I, q[k + 2]).reinterpretAsShorts()));
                        e = e.add(b.lanewise(LSHR, 12).mul(IntVector.broadcast(I, q[k + 3]).reinterpretAsShorts()));
                    }
                    IntVector r = a.add(e).reinterpretAsInts(), s = IntVector.fromMemorySegment(I, w, from + 8 * LINE, LE);
                    p0 = p0.add(r.lanewise(LSHL, 16).lanewise(ASHR, 16).add(8 * sum).mul(s.and(255)));
                    p1 = p1.add(r.lanewise(ASHR, 16).add(8 * sum).mul(s.lanewise(LSHR, 8).and(255)));
                    m0 = m0.add(s.lanewise(LSHR, 16).and(255).mul(sum));
                    m1 = m1.add(s.lanewise(LSHR, 24).mul(sum));
                }
                IntVector d = IntVector.fromMemorySegment(I, w, 72 * LINE + 4 * h, LE),
                        n = IntVector.fromMemorySegment(I, w, 73 * LINE + 4 * h, LE);
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
                IntVector s = IntVector.fromMemorySegment(I, w, at + j * GROUP + 8 * LINE + 4 * h, LE);
                int to = j * PackedTile.ROWS + panel * ROWS + h;
                ((FloatVector) s.and(255).convert(I2F, 0)).mul(PackedEnds.SCALE).intoArray(tile.scales, to);
                ((FloatVector) s.lanewise(LSHR, 8).and(255).convert(I2F, 0)).mul(PackedEnds.SCALE).intoArray(tile.scales, to + 16);
                ((FloatVector) s.lanewise(LSHR, 16).and(255).convert(I2F, 0)).intoArray(tile.minimums, to);
                ((FloatVector) s.lanewise(LSHR, 24).convert(I2F, 0)).intoArray(tile.minimums, to + 16);
            }
            floats(w, at + 72 * LINE + 4 * h, tile.d, panel * ROWS + h);
            floats(w, at + 73 * LINE + 4 * h, tile.dmin, panel * ROWS + h);
        }
    }

    private static void values(MemorySegment w, long at, short[] out, int to) {
        Mapped.mark(w, at);
        for (int j = 0; j < 8; j++) {
            for (int v = 0; v < 8; v++) {
                for (int h = 0; h < 16; h += L) {
                    IntVector b = IntVector.fromMemorySegment(I, w, at + j * GROUP + v * LINE + 4 * h, LE);
                    int o = to + (32 * j + 4 * v) * PackedTile.ROWS + 2 * h;
                    b.and(NIBBLE).reinterpretAsShorts().intoArray(out, o);
                    b.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts().intoArray(out, o + PackedTile.ROWS);
                    b.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts().intoArray(out, o + 2 * PackedTile.ROWS);
                    b.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts().intoArray(out, o + 3 * PackedTile.ROWS);
                }
            }
        }
    }

    @Override
    void lines(MemorySegment low, long lowAt, MemorySegment high, long highAt, int size, int[] x, int xAt, int[] biases,
            int biasAt, int width, short[] parts, int to) {
        PackedBits4.runs(low, lowAt, high, highAt, 8, x, xAt, biases, biasAt, width, parts, to);
    }

    @Override
    void end(PackedTile tile, int i, PackedOperand x, int at, boolean narrow, int width, float[] acc, int accAt) {
        PackedEnds.groups8(tile, narrow ? offset : wideOffset, x.scales, at / 256, x.floatSums, at / 32, width, acc, accAt);
    }
}
