package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// The upper half of a float. Two values lie in an int; their order need not be restored, for the activations are split likewise.
///
/// Four sums of 16 virtual lanes: the even and the odd values of two runs of 32.
public final class BF16 extends RowKernel {
    @Override
    public Arrangement arrangement() {
        return Floats.SPLIT;
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out, int outAt,
            float[] lanes) {
        int from = column * Floats.stride(k), r = 0;
        if (FOUR && k >= FOUR_FROM && k % 64 == 0)
            for (; r + 4 <= rows; r += 4) four(source, at + r * rowBytes, rowBytes, k, x.floats, from, lanes, out, outAt + r);
        for (; r < rows; r++) out[outAt + r] = row(source, at + r * rowBytes, k, x.floats, from, lanes);
    }

    private static float row(MemorySegment w, long start, int k, float[] x, int column, float[] lanes) {
        boolean hasTail = k % 64 != 0;
        if (hasTail) tail(w, start, k, lanes);
        Mapped.mark(w, start);
        for (int h = 0; h < 16; h += L) {
            FloatVector a0 = FloatVector.zero(F), a1 = a0, a2 = a0, a3 = a0;
            long at = start + 4 * h;
            int q = column + h;
            for (int i = 64, step = 64 * Lanes.ONE[0]; i <= k; i += step, at += 128, q += 64) {
                IntVector u = IntVector.fromMemorySegment(I, w, at, LE);
                a0 = u.lanewise(LSHL, 16).reinterpretAsFloats().fma(FloatVector.fromArray(F, x, q), a0);
                a1 = u.and(0xffff0000).reinterpretAsFloats().fma(FloatVector.fromArray(F, x, q + 16), a1);
                IntVector v = IntVector.fromMemorySegment(I, w, at + 64, LE);
                a2 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(FloatVector.fromArray(F, x, q + 32), a2);
                a3 = v.and(0xffff0000).reinterpretAsFloats().fma(FloatVector.fromArray(F, x, q + 48), a3);
            }
            if (hasTail) {
                a0 = FloatVector.fromArray(F, lanes, TAIL + h).fma(FloatVector.fromArray(F, x, q), a0);
                a1 = FloatVector.fromArray(F, lanes, TAIL + 16 + h).fma(FloatVector.fromArray(F, x, q + 16), a1);
                a2 = FloatVector.fromArray(F, lanes, TAIL + 32 + h).fma(FloatVector.fromArray(F, x, q + 32), a2);
                a3 = FloatVector.fromArray(F, lanes, TAIL + 48 + h).fma(FloatVector.fromArray(F, x, q + 48), a3);
            }
            a0.add(a1).add(a2.add(a3)).intoArray(lanes, h);
        }
        return sum(lanes);
    }

    /// Four rows, with the bits of one each.
    private static void four(MemorySegment w, long start, long rowBytes, int k, float[] x, int column, float[] lanes, float[] out,
            int outAt) {
        Mapped.mark(w, start);
        for (int h = 0; h < 16; h += L) {
            FloatVector a0 = FloatVector.zero(F), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
            FloatVector c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0;
            long at = start + 4 * h;
            int q = column + h;
            for (int i = 64; i <= k; i += 64, at += 128, q += 64) {
                FloatVector x0 = FloatVector.fromArray(F, x, q), x1 = FloatVector.fromArray(F, x, q + 16),
                        x2 = FloatVector.fromArray(F, x, q + 32), x3 = FloatVector.fromArray(F, x, q + 48);
                IntVector v = IntVector.fromMemorySegment(I, w, at, LE);
                a0 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, a0);
                a1 = v.and(0xffff0000).reinterpretAsFloats().fma(x1, a1);
                v = IntVector.fromMemorySegment(I, w, at + 64, LE);
                a2 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, a2);
                a3 = v.and(0xffff0000).reinterpretAsFloats().fma(x3, a3);
                v = IntVector.fromMemorySegment(I, w, at + rowBytes, LE);
                b0 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, b0);
                b1 = v.and(0xffff0000).reinterpretAsFloats().fma(x1, b1);
                v = IntVector.fromMemorySegment(I, w, at + rowBytes + 64, LE);
                b2 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, b2);
                b3 = v.and(0xffff0000).reinterpretAsFloats().fma(x3, b3);
                v = IntVector.fromMemorySegment(I, w, at + 2 * rowBytes, LE);
                c0 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, c0);
                c1 = v.and(0xffff0000).reinterpretAsFloats().fma(x1, c1);
                v = IntVector.fromMemorySegment(I, w, at + 2 * rowBytes + 64, LE);
                c2 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, c2);
                c3 = v.and(0xffff0000).reinterpretAsFloats().fma(x3, c3);
                v = IntVector.fromMemorySegment(I, w, at + 3 * rowBytes, LE);
                d0 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, d0);
                d1 = v.and(0xffff0000).reinterpretAsFloats().fma(x1, d1);
                v = IntVector.fromMemorySegment(I, w, at + 3 * rowBytes + 64, LE);
                d2 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, d2);
                d3 = v.and(0xffff0000).reinterpretAsFloats().fma(x3, d3);
            }
            a0.add(a1).add(a2.add(a3)).intoArray(lanes, h);
            b0.add(b1).add(b2.add(b3)).intoArray(lanes, 16 + h);
            c0.add(c1).add(c2.add(c3)).intoArray(lanes, 32 + h);
            d0.add(d1).add(d2.add(d3)).intoArray(lanes, 48 + h);
        }
        for (int r = 0; r < 4; r++) out[outAt + r] = sum(lanes, 16 * r);
    }

    @Override
    public int enough() {
        return FOUR ? FOUR_FROM : super.enough();
    }

    /// What is left of a row after whole runs of 64 values goes to [#TAIL], in the order of the activations, with zeros for the rest.
    private static void tail(MemorySegment w, long start, int k, float[] lanes) {
        Arrays.fill(lanes, TAIL, TAIL + 64, 0);
        for (int i = k & -64; i < k; i++)
            lanes[TAIL + i % 64 / 32 * 32 + i % 2 * 16 + i % 32 / 2] = Float
                    .intBitsToFloat(w.get(LittleEndian.SHORT, start + 2L * i) << 16);
    }

    @Override
    public float plain(MemorySegment w, long at, int k, Operand x, int column, float[] lanes) {
        Arrays.fill(lanes, TAIL, TAIL + 64, 0);
        int start = column * Floats.stride(k);
        for (int i = 0; i < Floats.stride(k); i++) {
            int lane = i % 64 / 32 * 32 + i % 2 * 16 + i % 32 / 2;
            lanes[TAIL + lane] = Math.fma(i < k ? Float.intBitsToFloat(w.get(LittleEndian.SHORT, at + 2L * i) << 16) : 0,
                    x.floats[start + (i & -64) + lane], lanes[TAIL + lane]);
        }
        for (int i = TAIL; i < TAIL + 16; i++) lanes[i - TAIL] = lanes[i] + lanes[i + 16] + (lanes[i + 32] + lanes[i + 48]);
        return sum(lanes);
    }
}
