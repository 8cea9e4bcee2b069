package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;

import jdk.incubator.vector.FloatVector;

/// The inner product of products with many columns: 32 rows of dequantised weights times packed columns, a step of up to [#STEP]
/// values of k at a time.
///
/// ```
///   w    float[k][32]        a lane is a row: no sum ever crosses lanes
///   x    float[k][C]         C = 8, 4, 2 or 1 columns side by side
///   acc  float[column][32]   loaded before a step, stored after it
/// ```
///
/// One accumulator for a result, fused multiply-adds in ascending k: the same bits for every width, and for plain Java.
public final class Tile {
    /// Values of k in a step: 16 KB of weights and 4 KB of columns stay in the first-level cache.
    public static final int STEP = 128;
    /// Rows in a panel.
    public static final int ROWS = 32;

    private Tile() {}

    /// One step for all columns of a batch: `count` columns, packed as `Columns` describes (groups of [Lanes#COLUMNS], the rest in
    /// one narrower group).
    ///
    /// @param w float[kCount][32] from `wAt` on
    /// @param x the groups one after the other, from `xAt` on
    /// @param acc float[count rounded up][32]
    public static void step(float[] w, int wAt, float[] x, int xAt, int kCount, int count, float[] acc) {
        for (int half = 0; half < ROWS; half += 2 * L) {
            int c = 0;
            if (Lanes.COLUMNS == 8) for (; c + 8 <= count; c += 8) by8(w, wAt + half, x, xAt + c * kCount, kCount, acc, c * ROWS + half);
            if (Lanes.COLUMNS == 4) for (; c + 4 <= count; c += 4) by4(w, wAt + half, x, xAt + c * kCount, kCount, acc, c * ROWS + half);
            if (c == count) continue;
            int at = xAt + c * kCount;
            int out = c * ROWS + half;
            switch (padded(count - c)) {
                case 1 -> by1(w, wAt + half, x, at, kCount, acc, out);
                case 2 -> by2(w, wAt + half, x, at, kCount, acc, out);
                case 4 -> by4(w, wAt + half, x, at, kCount, acc, out);
                default -> by8(w, wAt + half, x, at, kCount, acc, out);
            }
        }
    }

    /// The width of the last group, for this many columns: 1, 2, 4 or 8.
    public static int padded(int columns) {
        return columns <= 2 ? columns : columns <= 4 ? 4 : 8;
    }

    private static void by8(float[] w, int wAt, float[] x, int xAt, int kCount, float[] acc, int at) {
        FloatVector a0 = FloatVector.fromArray(F, acc, at), e0 = FloatVector.fromArray(F, acc, at + L);
        FloatVector a1 = FloatVector.fromArray(F, acc, at + 32), e1 = FloatVector.fromArray(F, acc, at + 32 + L);
        FloatVector a2 = FloatVector.fromArray(F, acc, at + 64), e2 = FloatVector.fromArray(F, acc, at + 64 + L);
        FloatVector a3 = FloatVector.fromArray(F, acc, at + 96), e3 = FloatVector.fromArray(F, acc, at + 96 + L);
        FloatVector a4 = FloatVector.fromArray(F, acc, at + 128), e4 = FloatVector.fromArray(F, acc, at + 128 + L);
        FloatVector a5 = FloatVector.fromArray(F, acc, at + 160), e5 = FloatVector.fromArray(F, acc, at + 160 + L);
        FloatVector a6 = FloatVector.fromArray(F, acc, at + 192), e6 = FloatVector.fromArray(F, acc, at + 192 + L);
        FloatVector a7 = FloatVector.fromArray(F, acc, at + 224), e7 = FloatVector.fromArray(F, acc, at + 224 + L);
        for (int k = 0; k < kCount; k++) {
            FloatVector w0 = FloatVector.fromArray(F, w, wAt + k * 32), w1 = FloatVector.fromArray(F, w, wAt + k * 32 + L), v;
            int q = xAt + k * 8;
            v = FloatVector.broadcast(F, x[q]);
            a0 = w0.fma(v, a0);
            e0 = w1.fma(v, e0);
            v = FloatVector.broadcast(F, x[q + 1]);
            a1 = w0.fma(v, a1);
            e1 = w1.fma(v, e1);
            v = FloatVector.broadcast(F, x[q + 2]);
            a2 = w0.fma(v, a2);
            e2 = w1.fma(v, e2);
            v = FloatVector.broadcast(F, x[q + 3]);
            a3 = w0.fma(v, a3);
            e3 = w1.fma(v, e3);
            v = FloatVector.broadcast(F, x[q + 4]);
            a4 = w0.fma(v, a4);
            e4 = w1.fma(v, e4);
            v = FloatVector.broadcast(F, x[q + 5]);
            a5 = w0.fma(v, a5);
            e5 = w1.fma(v, e5);
            v = FloatVector.broadcast(F, x[q + 6]);
            a6 = w0.fma(v, a6);
            e6 = w1.fma(v, e6);
            v = FloatVector.broadcast(F, x[q + 7]);
            a7 = w0.fma(v, a7);
            e7 = w1.fma(v, e7);
        }
        a0.intoArray(acc, at);
        e0.intoArray(acc, at + L);
        a1.intoArray(acc, at + 32);
        e1.intoArray(acc, at + 32 + L);
        a2.intoArray(acc, at + 64);
        e2.intoArray(acc, at + 64 + L);
        a3.intoArray(acc, at + 96);
        e3.intoArray(acc, at + 96 + L);
        a4.intoArray(acc, at + 128);
        e4.intoArray(acc, at + 128 + L);
        a5.intoArray(acc, at + 160);
        e5.intoArray(acc, at + 160 + L);
        a6.intoArray(acc, at + 192);
        e6.intoArray(acc, at + 192 + L);
        a7.intoArray(acc, at + 224);
        e7.intoArray(acc, at + 224 + L);
    }

    private static void by4(float[] w, int wAt, float[] x, int xAt, int kCount, float[] acc, int at) {
        FloatVector a0 = FloatVector.fromArray(F, acc, at), e0 = FloatVector.fromArray(F, acc, at + L);
        FloatVector a1 = FloatVector.fromArray(F, acc, at + 32), e1 = FloatVector.fromArray(F, acc, at + 32 + L);
        FloatVector a2 = FloatVector.fromArray(F, acc, at + 64), e2 = FloatVector.fromArray(F, acc, at + 64 + L);
        FloatVector a3 = FloatVector.fromArray(F, acc, at + 96), e3 = FloatVector.fromArray(F, acc, at + 96 + L);
        for (int k = 0; k < kCount; k++) {
            FloatVector w0 = FloatVector.fromArray(F, w, wAt + k * 32), w1 = FloatVector.fromArray(F, w, wAt + k * 32 + L), v;
            int q = xAt + k * 4;
            v = FloatVector.broadcast(F, x[q]);
            a0 = w0.fma(v, a0);
            e0 = w1.fma(v, e0);
            v = FloatVector.broadcast(F, x[q + 1]);
            a1 = w0.fma(v, a1);
            e1 = w1.fma(v, e1);
            v = FloatVector.broadcast(F, x[q + 2]);
            a2 = w0.fma(v, a2);
            e2 = w1.fma(v, e2);
            v = FloatVector.broadcast(F, x[q + 3]);
            a3 = w0.fma(v, a3);
            e3 = w1.fma(v, e3);
        }
        a0.intoArray(acc, at);
        e0.intoArray(acc, at + L);
        a1.intoArray(acc, at + 32);
        e1.intoArray(acc, at + 32 + L);
        a2.intoArray(acc, at + 64);
        e2.intoArray(acc, at + 64 + L);
        a3.intoArray(acc, at + 96);
        e3.intoArray(acc, at + 96 + L);
    }

    private static void by2(float[] w, int wAt, float[] x, int xAt, int kCount, float[] acc, int at) {
        FloatVector a0 = FloatVector.fromArray(F, acc, at), e0 = FloatVector.fromArray(F, acc, at + L);
        FloatVector a1 = FloatVector.fromArray(F, acc, at + 32), e1 = FloatVector.fromArray(F, acc, at + 32 + L);
        for (int k = 0; k < kCount; k++) {
            FloatVector w0 = FloatVector.fromArray(F, w, wAt + k * 32), w1 = FloatVector.fromArray(F, w, wAt + k * 32 + L), v;
            v = FloatVector.broadcast(F, x[xAt + k * 2]);
            a0 = w0.fma(v, a0);
            e0 = w1.fma(v, e0);
            v = FloatVector.broadcast(F, x[xAt + k * 2 + 1]);
            a1 = w0.fma(v, a1);
            e1 = w1.fma(v, e1);
        }
        a0.intoArray(acc, at);
        e0.intoArray(acc, at + L);
        a1.intoArray(acc, at + 32);
        e1.intoArray(acc, at + 32 + L);
    }

    private static void by1(float[] w, int wAt, float[] x, int xAt, int kCount, float[] acc, int at) {
        FloatVector a0 = FloatVector.fromArray(F, acc, at), e0 = FloatVector.fromArray(F, acc, at + L);
        for (int k = 0; k < kCount; k++) {
            FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
            a0 = FloatVector.fromArray(F, w, wAt + k * 32).fma(v, a0);
            e0 = FloatVector.fromArray(F, w, wAt + k * 32 + L).fma(v, e0);
        }
        a0.intoArray(acc, at);
        e0.intoArray(acc, at + L);
    }
}
