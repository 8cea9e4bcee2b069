package io.github.kvern.kernels;

import io.github.kvern.kernels.scalar.Decoders;
import java.util.List;

/// Products in plain loops, for a JVM without vectors: the same bits as the exact vector kernels.
final class ScalarMatMul extends MatMul {
    static final ScalarMatMul KERNEL = new ScalarMatMul();
    /// A multiply-add here costs about as much as this many in vectors.
    private static final int SLOW = 16;

    private ScalarMatMul() {}

    @Override
    Form form(int columns) {
        return Form.NONE;
    }

    @Override
    long cost(Matrix w, int columns) {
        return (long) w.columns() * (columns + 1) * SLOW;
    }

    @Override
    void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        rows(w, expert, from, to, x, x.start(segment), x.columns(segment), out, outAt, outStride, scratch);
    }

    /// Rows `from` to `to` (exclusive) times the columns from `first` on: `out[outAt + c * outStride + row]`.
    static void rows(Matrix w, int expert, int from, int to, Activation x, int first, int columns, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int k = w.columns();
        float[] row = scratch.floats(0, k);
        float[] values = x.values();
        for (int r = from; r < to; r++) {
            Decoders.decode(w.type(), w.segment(), ((long) expert * w.rows() + r) * w.rowBytes(), row, 0, k);
            int c = 0;
            for (; c + 4 <= columns; c += 4) four(row, values, (first + c) * k, k, out, outAt + c * outStride + r, outStride);
            for (; c < columns; c++) out[outAt + c * outStride + r] = one(row, values, (first + c) * k, k);
        }
    }

    @Override
    List<Exercise> exercises(Matrix sample) {
        return List.of();
    }

    private static float one(float[] row, float[] x, int at, int k) {
        float sum = 0;
        for (int i = 0; i < k; i++) sum = Math.fma(row[i], x[at + i], sum);
        return sum;
    }

    /// Four columns at once: their sums do not wait for each other.
    private static void four(float[] row, float[] x, int at, int k, float[] out, int outAt, int outStride) {
        float a = 0, b = 0, c = 0, d = 0;
        for (int i = 0; i < k; i++) {
            float w = row[i];
            a = Math.fma(w, x[at + i], a);
            b = Math.fma(w, x[at + k + i], b);
            c = Math.fma(w, x[at + 2 * k + i], c);
            d = Math.fma(w, x[at + 3 * k + i], d);
        }
        out[outAt] = a;
        out[outAt + outStride] = b;
        out[outAt + 2 * outStride] = c;
        out[outAt + 3 * outStride] = d;
    }
}
