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

/// Q4_0, packed: 9 lines for 32 k (as large as in the file).
///
/// ```
///   8 lines  four values of k in a half, the first in the lowest bits
///   1 line   d, half floats
/// ```
public final class PackedQ4_0 extends PackedRuns {
    private static final int BLOCK = 9 * LINE;

    public PackedQ4_0() {
        super(32, 9, 32, 32, 8, 8);
    }

    @Override
    public boolean pack(MemorySegment source, long at, long rowBytes, int rows, MemorySegment target, long to, int[] t) {
        int out = 64 * ROWS;
        words(source, at + 2, rowBytes, rows, 4, t, 0);
        words(source, at, rowBytes, rows, 1, t, 4 * ROWS);
        for (int v = 0; v < 4; v++) {
            for (int i = v * ROWS; i < (v + 1) * ROWS; i++) t[i] = PackedQ4_K.nibbles(t[i]) | PackedQ4_K.nibbles(t[i] >>> 4) << 16;
            halves(t, v * ROWS, 0, t, out + v * 16);
            halves(t, v * ROWS, 16, t, out + (4 + v) * 16);
        }
        halves(t, 4 * ROWS, 0, t, out + 8 * 16);
        store(t, out, 9 * 16, target, to);
        return finite(t, out + 8 * 16);
    }

    @Override
    boolean hasFactors() {
        return true;
    }

    @Override
    public void column(MemorySegment w, long at, int blocks, PackedOperand x, int before, float[] y) {
        int k = before * 32 * blocks;
        column(w, at, blocks, x.x, k, x.biases, x.scales, k / 32, y);
    }

    private static void column(MemorySegment all, long at, int blocks, int[] q, int qAt, int[] biases, float[] scales, int blockAt,
            float[] y) {
        Mapped.mark(all, at);
        for (int h = 0; h < ROWS; h += L) FloatVector.zero(F).intoArray(y, h);
        for (int i = 0; i < blocks; i++) {
            MemorySegment w = all.asSlice(at + (long) i * BLOCK, BLOCK);
            float da = scales[blockAt + i];
            for (int h = 0; h < 16; h += L) {
                int k = qAt + i * 32;
                ShortVector a = IntVector.broadcast(I, biases[blockAt + i]).reinterpretAsShorts(), e = ShortVector.zero(S);
                for (int v = 0; v < 8; v++, k += 4) {
                    ShortVector b = IntVector.fromMemorySegment(I, w, v * LINE + 4 * h, LE).reinterpretAsShorts();
                    a = a.add(b.mul(IntVector.broadcast(I, q[k]).reinterpretAsShorts()));
                    e = e.add(b.lanewise(LSHR, 4).mul(IntVector.broadcast(I, q[k + 1]).reinterpretAsShorts()));
                    a = a.add(b.lanewise(LSHR, 8).mul(IntVector.broadcast(I, q[k + 2]).reinterpretAsShorts()));
                    e = e.add(b.lanewise(LSHR, 12).mul(IntVector.broadcast(I, q[k + 3]).reinterpretAsShorts()));
                }
                IntVector r = a.add(e).reinterpretAsInts(), d = IntVector.fromMemorySegment(I, w, 8 * LINE + 4 * h, LE);
                d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma((FloatVector) r.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0), FloatVector.fromArray(F, y, h))
                        .intoArray(y, h);
                d.lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma((FloatVector) r.lanewise(ASHR, 16).convert(I2F, 0), FloatVector.fromArray(F, y, 16 + h)).intoArray(y, 16 + h);
            }
        }
    }

    @Override
    void values(MemorySegment w, long at, PackedTile tile, int i, int panel) {
        values(w, at, tile.w, 32 * i * PackedTile.ROWS + panel * ROWS);
    }

    @Override
    public void scales(MemorySegment w, long at, PackedTile tile, int i, int panel) {
        Mapped.mark(w, at);
        for (int h = 0; h < 16; h += L)
            floats(w, at + 8 * LINE + 4 * h, tile.d, i * PackedTile.ROWS + panel * ROWS + h);
    }

    private static void values(MemorySegment w, long at, short[] out, int to) {
        Mapped.mark(w, at);
        for (int v = 0; v < 8; v++) {
            for (int h = 0; h < 16; h += L) {
                IntVector b = IntVector.fromMemorySegment(I, w, at + v * LINE + 4 * h, LE);
                int o = to + 4 * v * PackedTile.ROWS + 2 * h;
                b.and(NIBBLE).reinterpretAsShorts().intoArray(out, o);
                b.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts().intoArray(out, o + PackedTile.ROWS);
                b.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts().intoArray(out, o + 2 * PackedTile.ROWS);
                b.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts().intoArray(out, o + 3 * PackedTile.ROWS);
            }
        }
    }

    @Override
    void lines(MemorySegment low, long lowAt, MemorySegment high, long highAt, int size, int[] x, int xAt, int[] biases,
            int biasAt, int width, short[] parts, int to) {
        PackedBits4.runs(low, lowAt, high, highAt, 1, x, xAt, biases, biasAt, width, parts, to);
    }

    @Override
    void end(PackedTile tile, int i, PackedOperand x, int at, boolean narrow, int width, float[] acc, int accAt) {
        tile.end(i * PackedTile.ROWS, x.scales, at / 32, width, acc, accAt);
    }
}
