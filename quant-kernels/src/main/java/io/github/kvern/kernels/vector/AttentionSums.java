package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.AttentionOps.BLOCK;
import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;

import jdk.incubator.vector.FloatVector;

/// Weighted sums of a block of values: tiles of some queries and two vectors of values, all sums in registers.
///
/// ```text
///   values   float[position][size]   a lane is a value
///   weights  float[query][64]
///   out      float[query][size]      multiplied by the query's factor, then added to
/// ```
///
/// One accumulator for a sum, fused, ascending position: the same bits for every width and for plain Java.
final class AttentionSums {
    private AttentionSums() {}

    static void accumulate(float[] values, int size, float[] weights, int first, int last, int from, int to, float[] state, int stride,
            float[] out) {
        int v = 0;
        for (; v + 2 * L <= size; v += 2 * L) { // outside, so that this part of the block stays in the first-level cache
            int c = first;
            if (Lanes.COLUMNS == 8)
                for (; c + 8 <= last; c += 8)
                    by8(values, v, size, weights, c * BLOCK, from, to, state, c * stride, stride, out, c * size + v);
            for (; c + 4 <= last; c += 4) by4(values, v, size, weights, c * BLOCK, from, to, state, c * stride, stride, out, c * size + v);
            for (; c + 2 <= last; c += 2) by2(values, v, size, weights, c * BLOCK, from, to, state, c * stride, stride, out, c * size + v);
            if (c < last) by1(values, v, size, weights, c * BLOCK, from, to, state, c * stride, out, c * size + v);
        }
        for (; v + L <= size; v += L)
            for (int c = first; c < last; c++)
                thin(values, v, size, weights, c * BLOCK, from, to, state[c * stride + 2], out, c * size + v);
        for (; v < size; v++)
            for (int c = first; c < last; c++) {
                float sum = out[c * size + v] * state[c * stride + 2];
                for (int j = from; j < to; j++) sum = Math.fma(weights[c * BLOCK + j], values[j * size + v], sum);
                out[c * size + v] = sum;
            }
    }

    /// What is left of a row and no two vectors wide.
    private static void thin(float[] values, int valuesAt, int size, float[] weights, int w, int from, int to, float factor, float[] out,
            int at) {
        FloatVector a = FloatVector.fromArray(F, out, at).mul(factor);
        for (int j = from; j < to; j++)
            a = FloatVector.fromArray(F, values, valuesAt + j * size).fma(FloatVector.broadcast(F, weights[w + j]), a);
        a.intoArray(out, at);
    }

    private static void by8(float[] values, int valuesAt, int size, float[] weights, int w, int from, int to, float[] state, int s,
            int stride, float[] out, int at) {
        FloatVector a0 = FloatVector.fromArray(F, out, at).mul(state[s + 2]), e0 = FloatVector.fromArray(F, out, at + L).mul(state[s + 2]);
        FloatVector a1 = FloatVector.fromArray(F, out, at + size).mul(state[s + stride + 2]),
                e1 = FloatVector.fromArray(F, out, at + size + L).mul(state[s + stride + 2]);
        FloatVector a2 = FloatVector.fromArray(F, out, at + 2 * size).mul(state[s + 2 * stride + 2]),
                e2 = FloatVector.fromArray(F, out, at + 2 * size + L).mul(state[s + 2 * stride + 2]);
        FloatVector a3 = FloatVector.fromArray(F, out, at + 3 * size).mul(state[s + 3 * stride + 2]),
                e3 = FloatVector.fromArray(F, out, at + 3 * size + L).mul(state[s + 3 * stride + 2]);
        FloatVector a4 = FloatVector.fromArray(F, out, at + 4 * size).mul(state[s + 4 * stride + 2]),
                e4 = FloatVector.fromArray(F, out, at + 4 * size + L).mul(state[s + 4 * stride + 2]);
        FloatVector a5 = FloatVector.fromArray(F, out, at + 5 * size).mul(state[s + 5 * stride + 2]),
                e5 = FloatVector.fromArray(F, out, at + 5 * size + L).mul(state[s + 5 * stride + 2]);
        FloatVector a6 = FloatVector.fromArray(F, out, at + 6 * size).mul(state[s + 6 * stride + 2]),
                e6 = FloatVector.fromArray(F, out, at + 6 * size + L).mul(state[s + 6 * stride + 2]);
        FloatVector a7 = FloatVector.fromArray(F, out, at + 7 * size).mul(state[s + 7 * stride + 2]),
                e7 = FloatVector.fromArray(F, out, at + 7 * size + L).mul(state[s + 7 * stride + 2]);
        for (int j = from; j < to; j++) {
            FloatVector v0 = FloatVector.fromArray(F, values, valuesAt + j * size),
                    v1 = FloatVector.fromArray(F, values, valuesAt + j * size + L), x;
            x = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(x, a0);
            e0 = v1.fma(x, e0);
            x = FloatVector.broadcast(F, weights[w + BLOCK + j]);
            a1 = v0.fma(x, a1);
            e1 = v1.fma(x, e1);
            x = FloatVector.broadcast(F, weights[w + 2 * BLOCK + j]);
            a2 = v0.fma(x, a2);
            e2 = v1.fma(x, e2);
            x = FloatVector.broadcast(F, weights[w + 3 * BLOCK + j]);
            a3 = v0.fma(x, a3);
            e3 = v1.fma(x, e3);
            x = FloatVector.broadcast(F, weights[w + 4 * BLOCK + j]);
            a4 = v0.fma(x, a4);
            e4 = v1.fma(x, e4);
            x = FloatVector.broadcast(F, weights[w + 5 * BLOCK + j]);
            a5 = v0.fma(x, a5);
            e5 = v1.fma(x, e5);
            x = FloatVector.broadcast(F, weights[w + 6 * BLOCK + j]);
            a6 = v0.fma(x, a6);
            e6 = v1.fma(x, e6);
            x = FloatVector.broadcast(F, weights[w + 7 * BLOCK + j]);
            a7 = v0.fma(x, a7);
            e7 = v1.fma(x, e7);
        }
        a0.intoArray(out, at);
        e0.intoArray(out, at + L);
        a1.intoArray(out, at + size);
        e1.intoArray(out, at + size + L);
        a2.intoArray(out, at + 2 * size);
        e2.intoArray(out, at + 2 * size + L);
        a3.intoArray(out, at + 3 * size);
        e3.intoArray(out, at + 3 * size + L);
        a4.intoArray(out, at + 4 * size);
        e4.intoArray(out, at + 4 * size + L);
        a5.intoArray(out, at + 5 * size);
        e5.intoArray(out, at + 5 * size + L);
        a6.intoArray(out, at + 6 * size);
        e6.intoArray(out, at + 6 * size + L);
        a7.intoArray(out, at + 7 * size);
        e7.intoArray(out, at + 7 * size + L);
    }

    private static void by4(float[] values, int valuesAt, int size, float[] weights, int w, int from, int to, float[] state, int s,
            int stride, float[] out, int at) {
        FloatVector a0 = FloatVector.fromArray(F, out, at).mul(state[s + 2]), e0 = FloatVector.fromArray(F, out, at + L).mul(state[s + 2]);
        FloatVector a1 = FloatVector.fromArray(F, out, at + size).mul(state[s + stride + 2]),
                e1 = FloatVector.fromArray(F, out, at + size + L).mul(state[s + stride + 2]);
        FloatVector a2 = FloatVector.fromArray(F, out, at + 2 * size).mul(state[s + 2 * stride + 2]),
                e2 = FloatVector.fromArray(F, out, at + 2 * size + L).mul(state[s + 2 * stride + 2]);
        FloatVector a3 = FloatVector.fromArray(F, out, at + 3 * size).mul(state[s + 3 * stride + 2]),
                e3 = FloatVector.fromArray(F, out, at + 3 * size + L).mul(state[s + 3 * stride + 2]);
        for (int j = from; j < to; j++) {
            FloatVector v0 = FloatVector.fromArray(F, values, valuesAt + j * size),
                    v1 = FloatVector.fromArray(F, values, valuesAt + j * size + L), x;
            x = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(x, a0);
            e0 = v1.fma(x, e0);
            x = FloatVector.broadcast(F, weights[w + BLOCK + j]);
            a1 = v0.fma(x, a1);
            e1 = v1.fma(x, e1);
            x = FloatVector.broadcast(F, weights[w + 2 * BLOCK + j]);
            a2 = v0.fma(x, a2);
            e2 = v1.fma(x, e2);
            x = FloatVector.broadcast(F, weights[w + 3 * BLOCK + j]);
            a3 = v0.fma(x, a3);
            e3 = v1.fma(x, e3);
        }
        a0.intoArray(out, at);
        e0.intoArray(out, at + L);
        a1.intoArray(out, at + size);
        e1.intoArray(out, at + size + L);
        a2.intoArray(out, at + 2 * size);
        e2.intoArray(out, at + 2 * size + L);
        a3.intoArray(out, at + 3 * size);
        e3.intoArray(out, at + 3 * size + L);
    }

    private static void by2(float[] values, int valuesAt, int size, float[] weights, int w, int from, int to, float[] state, int s,
            int stride, float[] out, int at) {
        FloatVector a0 = FloatVector.fromArray(F, out, at).mul(state[s + 2]), e0 = FloatVector.fromArray(F, out, at + L).mul(state[s + 2]);
        FloatVector a1 = FloatVector.fromArray(F, out, at + size).mul(state[s + stride + 2]),
                e1 = FloatVector.fromArray(F, out, at + size + L).mul(state[s + stride + 2]);
        for (int j = from; j < to; j++) {
            FloatVector v0 = FloatVector.fromArray(F, values, valuesAt + j * size),
                    v1 = FloatVector.fromArray(F, values, valuesAt + j * size + L), x;
            x = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(x, a0);
            e0 = v1.fma(x, e0);
            x = FloatVector.broadcast(F, weights[w + BLOCK + j]);
            a1 = v0.fma(x, a1);
            e1 = v1.fma(x, e1);
        }
        a0.intoArray(out, at);
        e0.intoArray(out, at + L);
        a1.intoArray(out, at + size);
        e1.intoArray(out, at + size + L);
    }

    private static void by1(float[] values, int valuesAt, int size, float[] weights, int w, int from, int to, float[] state, int s,
            float[] out, int at) {
        FloatVector a0 = FloatVector.fromArray(F, out, at).mul(state[s + 2]), e0 = FloatVector.fromArray(F, out, at + L).mul(state[s + 2]);
        for (int j = from; j < to; j++) {
            FloatVector v0 = FloatVector.fromArray(F, values, valuesAt + j * size),
                    v1 = FloatVector.fromArray(F, values, valuesAt + j * size + L), x;
            x = FloatVector.broadcast(F, weights[w + j]);
            a0 = v0.fma(x, a0);
            e0 = v1.fma(x, e0);
        }
        a0.intoArray(out, at);
        e0.intoArray(out, at + L);
    }
}
