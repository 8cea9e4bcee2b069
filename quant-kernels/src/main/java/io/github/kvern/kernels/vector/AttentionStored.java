package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.AttentionOps.BLOCK;
import static io.github.kvern.kernels.AttentionOps.HALF_FACTOR;
import static io.github.kvern.kernels.AttentionOps.PACK;
import static io.github.kvern.kernels.AttentionOps.PANEL;
import static io.github.kvern.kernels.vector.AttentionBlocks.MAGNITUDE_AND_SIGN;
import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Scores and weighted sums straight from a page of halves, for the few queries of one position: the page is read once, and
/// reading overlaps with computing. A vector of words becomes two vectors of floats that are 2^112 too small, by moving bits alone;
/// queries and weights are 2^112 larger in return. The fused products are exact, so the bits are those of the way over floats.
/// What is infinite or not a number would come out wrong here: the caller knows that there is none.
final class AttentionStored {
    private AttentionStored() {}

    static void scores(MemorySegment page, long at, float[] packed, int size, int first, int last, float scale, float[] scores) {
        for (int c = first; c < last;) {
            int q = c / PACK * size * PACK + c % PACK, left = Math.min(last - c, PACK - c % PACK), n = left >= 4 ? 4 : left >= 2 ? 2 : 1;
            for (int panel = 0; panel < BLOCK; panel += PANEL)
                for (int j = 0; j < PANEL / 2; j += L) {
                    long from = at + 2L * panel * size + 4L * j;
                    int to = c * BLOCK + panel + j;
                    if (n == 4) scores4(page, from, packed, q, size, scale, scores, to);
                    else if (n == 2) scores2(page, from, packed, q, size, scale, scores, to);
                    else scores1(page, from, packed, q, size, scale, scores, to);
                }
            c += n;
        }
    }

    /// @param size whole panels
    static void accumulate(MemorySegment page, long at, int size, float[] weights, int first, int last, int from, int to, float[] state,
            int stride, float[] out) {
        for (int c = first; c < last; c++) for (int j = from; j < to; j++) weights[c * BLOCK + j] *= HALF_FACTOR;
        for (int panel = 0; panel < size; panel += PANEL)
            for (int n = 0; n < PANEL / 2; n += L) {
                long values = at + 2L * panel * BLOCK + 4L * n;
                int c = first, v = panel + n;
                for (; c + 4 <= last; c += 4)
                    sums4(page, values, size, weights, c * BLOCK, from, to, state, c * stride, stride, out, c * size + v);
                for (; c + 2 <= last; c += 2)
                    sums2(page, values, size, weights, c * BLOCK, from, to, state, c * stride, stride, out, c * size + v);
                if (c < last) sums1(page, values, weights, c * BLOCK, from, to, state[c * stride + 2], out, c * size + v);
            }
    }

    private static void scores4(MemorySegment page, long from, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = a0, e1 = a0, a2 = a0, e2 = a0, a3 = a0, e3 = a0;
        for (int i = 0; i < size; i++) {
            IntVector w = IntVector.fromMemorySegment(I, page, from + 2L * PANEL * i, LE);
            FloatVector k0 = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN)
                    .reinterpretAsFloats();
            FloatVector k1 = w.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN).reinterpretAsFloats(), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
            q = FloatVector.broadcast(F, packed[x + 1]);
            a1 = k0.fma(q, a1);
            e1 = k1.fma(q, e1);
            q = FloatVector.broadcast(F, packed[x + 2]);
            a2 = k0.fma(q, a2);
            e2 = k1.fma(q, e2);
            q = FloatVector.broadcast(F, packed[x + 3]);
            a3 = k0.fma(q, a3);
            e3 = k1.fma(q, e3);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + PANEL / 2);
        a1.mul(scale).intoArray(scores, to + BLOCK);
        e1.mul(scale).intoArray(scores, to + BLOCK + PANEL / 2);
        a2.mul(scale).intoArray(scores, to + 2 * BLOCK);
        e2.mul(scale).intoArray(scores, to + 2 * BLOCK + PANEL / 2);
        a3.mul(scale).intoArray(scores, to + 3 * BLOCK);
        e3.mul(scale).intoArray(scores, to + 3 * BLOCK + PANEL / 2);
    }

    private static void scores2(MemorySegment page, long from, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = a0, e1 = a0;
        for (int i = 0; i < size; i++) {
            IntVector w = IntVector.fromMemorySegment(I, page, from + 2L * PANEL * i, LE);
            FloatVector k0 = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN)
                    .reinterpretAsFloats();
            FloatVector k1 = w.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN).reinterpretAsFloats(), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
            q = FloatVector.broadcast(F, packed[x + 1]);
            a1 = k0.fma(q, a1);
            e1 = k1.fma(q, e1);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + PANEL / 2);
        a1.mul(scale).intoArray(scores, to + BLOCK);
        e1.mul(scale).intoArray(scores, to + BLOCK + PANEL / 2);
    }

    private static void scores1(MemorySegment page, long from, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0;
        for (int i = 0; i < size; i++) {
            IntVector w = IntVector.fromMemorySegment(I, page, from + 2L * PANEL * i, LE);
            FloatVector k0 = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN)
                    .reinterpretAsFloats();
            FloatVector k1 = w.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN).reinterpretAsFloats(), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + PANEL / 2);
    }

    private static void sums4(MemorySegment page, long at, int size, float[] weights, int w, int from, int to, float[] state, int s,
            int stride, float[] out, int o) {
        FloatVector a0 = FloatVector.fromArray(F, out, o).mul(state[s + 2]),
                e0 = FloatVector.fromArray(F, out, o + PANEL / 2).mul(state[s + 2]);
        FloatVector a1 = FloatVector.fromArray(F, out, o + size).mul(state[s + stride + 2]),
                e1 = FloatVector.fromArray(F, out, o + size + PANEL / 2).mul(state[s + stride + 2]);
        FloatVector a2 = FloatVector.fromArray(F, out, o + 2 * size).mul(state[s + 2 * stride + 2]),
                e2 = FloatVector.fromArray(F, out, o + 2 * size + PANEL / 2).mul(state[s + 2 * stride + 2]);
        FloatVector a3 = FloatVector.fromArray(F, out, o + 3 * size).mul(state[s + 3 * stride + 2]),
                e3 = FloatVector.fromArray(F, out, o + 3 * size + PANEL / 2).mul(state[s + 3 * stride + 2]);
        for (int j = from; j < to; j++) {
            IntVector x = IntVector.fromMemorySegment(I, page, at + 2L * PANEL * j, LE);
            FloatVector v0 = x.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN)
                    .reinterpretAsFloats();
            FloatVector v1 = x.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN).reinterpretAsFloats(), p;
            p = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(p, a0);
            e0 = v1.fma(p, e0);
            p = FloatVector.broadcast(F, weights[w + BLOCK + j]);
            a1 = v0.fma(p, a1);
            e1 = v1.fma(p, e1);
            p = FloatVector.broadcast(F, weights[w + 2 * BLOCK + j]);
            a2 = v0.fma(p, a2);
            e2 = v1.fma(p, e2);
            p = FloatVector.broadcast(F, weights[w + 3 * BLOCK + j]);
            a3 = v0.fma(p, a3);
            e3 = v1.fma(p, e3);
        }
        a0.intoArray(out, o);
        e0.intoArray(out, o + PANEL / 2);
        a1.intoArray(out, o + size);
        e1.intoArray(out, o + size + PANEL / 2);
        a2.intoArray(out, o + 2 * size);
        e2.intoArray(out, o + 2 * size + PANEL / 2);
        a3.intoArray(out, o + 3 * size);
        e3.intoArray(out, o + 3 * size + PANEL / 2);
    }

    private static void sums2(MemorySegment page, long at, int size, float[] weights, int w, int from, int to, float[] state, int s,
            int stride, float[] out, int o) {
        FloatVector a0 = FloatVector.fromArray(F, out, o).mul(state[s + 2]),
                e0 = FloatVector.fromArray(F, out, o + PANEL / 2).mul(state[s + 2]);
        FloatVector a1 = FloatVector.fromArray(F, out, o + size).mul(state[s + stride + 2]),
                e1 = FloatVector.fromArray(F, out, o + size + PANEL / 2).mul(state[s + stride + 2]);
        for (int j = from; j < to; j++) {
            IntVector x = IntVector.fromMemorySegment(I, page, at + 2L * PANEL * j, LE);
            FloatVector v0 = x.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN)
                    .reinterpretAsFloats();
            FloatVector v1 = x.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN).reinterpretAsFloats(), p;
            p = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(p, a0);
            e0 = v1.fma(p, e0);
            p = FloatVector.broadcast(F, weights[w + BLOCK + j]);
            a1 = v0.fma(p, a1);
            e1 = v1.fma(p, e1);
        }
        a0.intoArray(out, o);
        e0.intoArray(out, o + PANEL / 2);
        a1.intoArray(out, o + size);
        e1.intoArray(out, o + size + PANEL / 2);
    }

    private static void sums1(MemorySegment page, long at, float[] weights, int w, int from, int to, float factor, float[] out, int o) {
        FloatVector a0 = FloatVector.fromArray(F, out, o).mul(factor),
                e0 = FloatVector.fromArray(F, out, o + PANEL / 2).mul(factor);
        for (int j = from; j < to; j++) {
            IntVector x = IntVector.fromMemorySegment(I, page, at + 2L * PANEL * j, LE);
            FloatVector v0 = x.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN)
                    .reinterpretAsFloats();
            FloatVector v1 = x.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN).reinterpretAsFloats(), p;
            p = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(p, a0);
            e0 = v1.fma(p, e0);
        }
        a0.intoArray(out, o);
        e0.intoArray(out, o + PANEL / 2);
    }
}
