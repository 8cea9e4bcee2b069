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

/// Q8_0, packed: 17 lines for 32 k (as large as in the file).
///
/// ```
///   16 lines  two values of k in a half, each with 128 added
///   1 line    d, half floats
/// ```
///
/// Only two products fit 16 bits, so they are multiplied as floats, which hold the same whole numbers exactly: a block's sum of
/// values up to 255 times columns up to 127 stays below 2^24.
public final class PackedQ8_0 extends PackedType {
    private static final int BLOCK = 17 * LINE;

    public PackedQ8_0() {
        super(32, 17, 32, 32, 128, 128);
    }

    @Override
    public int tileRows() {
        return ROWS;
    }

    @Override
    public boolean usesFloats() {
        return true;
    }

    @Override
    public boolean pack(MemorySegment source, long at, long rowBytes, int rows, MemorySegment target, long to, int[] t) {
        int out = 64 * ROWS;
        words(source, at + 2, rowBytes, rows, 8, t, 0);
        words(source, at, rowBytes, rows, 1, t, 8 * ROWS);
        for (int i = 0; i < 8 * ROWS; i++) t[i] ^= 0x80808080;
        for (int v = 0; v < 8; v++) {
            halves(t, v * ROWS, 0, t, out + 2 * v * 16);
            halves(t, v * ROWS, 16, t, out + (2 * v + 1) * 16);
        }
        halves(t, 8 * ROWS, 0, t, out + 16 * 16);
        store(t, out, 17 * 16, target, to);
        return finite(t, out + 16 * 16);
    }

    @Override
    public void column(MemorySegment w, long at, int blocks, PackedOperand x, int before, float[] y) {
        int k = before * 32 * blocks;
        column(w, at, blocks, x.floats, k, x.sums, x.scales, k / 32, y);
    }

    private static void column(MemorySegment all, long at, int blocks, float[] q, int qAt, int[] sums, float[] scales, int blockAt,
            float[] y) {
        Mapped.mark(all, at);
        for (int h = 0; h < ROWS; h += L) FloatVector.zero(F).intoArray(y, h);
        for (int i = 0; i < blocks; i++) {
            MemorySegment w = all.asSlice(at + (long) i * BLOCK, BLOCK);
            float da = scales[blockAt + i];
            for (int h = 0; h < 16; h += L) {
                int k = qAt + i * 32;
                FloatVector a0 = FloatVector.broadcast(F, -128 * sums[blockAt + i]), a1 = FloatVector.zero(F), e0 = a0, e1 = a1;
                for (int v = 0; v < 16; v++, k += 2) {
                    IntVector b = IntVector.fromMemorySegment(I, w, v * LINE + 4 * h, LE);
                    FloatVector q0 = FloatVector.broadcast(F, q[k]), q1 = FloatVector.broadcast(F, q[k + 1]);
                    a0 = ((FloatVector) b.and(255).convert(I2F, 0)).fma(q0, a0);
                    a1 = ((FloatVector) b.lanewise(LSHR, 8).and(255).convert(I2F, 0)).fma(q1, a1);
                    e0 = ((FloatVector) b.lanewise(LSHR, 16).and(255).convert(I2F, 0)).fma(q0, e0);
                    e1 = ((FloatVector) b.lanewise(LSHR, 24).convert(I2F, 0)).fma(q1, e1);
                }
                IntVector d = IntVector.fromMemorySegment(I, w, 16 * LINE + 4 * h, LE);
                d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma(a0.add(a1), FloatVector.fromArray(F, y, h)).intoArray(y, h);
                d.lanewise(ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF).mul(da)
                        .fma(e0.add(e1), FloatVector.fromArray(F, y, 16 + h)).intoArray(y, 16 + h);
            }
        }
    }

    @Override
    void values(MemorySegment w, long at, PackedTile tile, int i, int panel) {
        values(w, at, tile.floats, 32 * i * ROWS);
    }

    @Override
    public void scales(MemorySegment w, long at, PackedTile tile, int i, int panel) {
        Mapped.mark(w, at);
        for (int h = 0; h < 16; h += L)
            floats(w, at + 16 * LINE + 4 * h, tile.d, i * ROWS + h);
    }

    private static void values(MemorySegment w, long at, float[] out, int to) {
        Mapped.mark(w, at);
        for (int v = 0; v < 16; v++) {
            for (int h = 0; h < 16; h += L) {
                IntVector b = IntVector.fromMemorySegment(I, w, at + v * LINE + 4 * h, LE);
                int o = to + 2 * v * ROWS + h;
                ((FloatVector) b.and(255).sub(128).convert(I2F, 0)).intoArray(out, o);
                ((FloatVector) b.lanewise(LSHR, 16).and(255).sub(128).convert(I2F, 0)).intoArray(out, o + 16);
                ((FloatVector) b.lanewise(LSHR, 8).and(255).sub(128).convert(I2F, 0)).intoArray(out, o + ROWS);
                ((FloatVector) b.lanewise(LSHR, 24).sub(128).convert(I2F, 0)).intoArray(out, o + ROWS + 16);
            }
        }
    }

    @Override
    public void multiply(PackedTile tile, PackedOperand x, int before, int width, int k, int block, int count, float[] acc, int accAt) {
        for (int i = 0; i < count; i++) {
            int at = before * k + (block + i) * 32 * width;
            for (int row = 0; row < ROWS; row += 2 * L) {
                int w = 32 * i * ROWS + row, d = i * ROWS + row;
                switch (width) {
                    case 1 -> PackedFloats.by1(tile.floats, w, x.floats, at, tile.d, d, x.scales, at / 32, acc, accAt + row);
                    case 2 -> PackedFloats.by2(tile.floats, w, x.floats, at, tile.d, d, x.scales, at / 32, acc, accAt + row);
                    case 4 -> PackedFloats.by4(tile.floats, w, x.floats, at, 4, tile.d, d, x.scales, at / 32, acc, accAt + row);
                    default -> {
                        PackedFloats.by4(tile.floats, w, x.floats, at, 8, tile.d, d, x.scales, at / 32, acc, accAt + row);
                        PackedFloats.by4(tile.floats, w, x.floats, at + 4, 8, tile.d, d, x.scales, at / 32 + 4, acc,
                                accAt + row + 4 * ROWS);
                    }
                }
            }
        }
    }
}
