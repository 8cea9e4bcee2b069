package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// The one door: picks the implementation once, and says its name and why.
public final class Kernels {
    private static final Kernels BEST = new Kernels("scalar", "no vector kernels yet");

    private final String name;
    private final String reason;
    private final Ops ops = new Ops();
    private final AttentionOps attention = new AttentionOps();

    private Kernels(String name, String reason) {
        this.name = name;
        this.reason = reason;
    }

    /// The fastest kernels that this JVM can run.
    public static Kernels best() {
        return BEST;
    }

    /// `vector512`, `vector256`, `vector128` or `scalar`.
    public String name() {
        return name;
    }

    /// Why these kernels, in one line.
    public String reason() {
        return reason;
    }

    /// What slows this JVM down and how to mend it (the vector module is missing; no optimising compiler), in one line.
    public Optional<String> warning() {
        return Optional.empty();
    }

    /// Makes a weight handle over the bytes of a tensor, as in the file.
    ///
    /// @param rows of one expert; `experts * rows * type.rowBytes(columns)` must be the segment's size
    public Matrix matrix(TensorType type, MemorySegment segment, int rows, int columns, int experts, Precision precision) {
        return new Matrix(type, segment, rows, columns, experts, new MatMul() {
            @Override
            void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride, WorkerScratch scratch) {
                int k = w.columns();
                float[] row = scratch.floats(0, k);
                float[] v = x.values();
                for (int r = from; r < to; r++) {
                    Decoders.decode(w.type(), w.segment(), ((long) expert * w.rows() + r) * w.rowBytes(), row, 0, k);
                    for (int c = 0; c < x.columns(segment); c++) {
                        int at = (x.start(segment) + c) * k;
                        float sum = 0;
                        for (int i = 0; i < k; i++) sum = Math.fma(row[i], v[at + i], sum);
                        out[outAt + c * outStride + r] = sum;
                    }
                }
            }
        });
    }

    /// What is not a matrix.
    public Ops ops() {
        return ops;
    }

    /// The inner loops of attention.
    public AttentionOps attention() {
        return attention;
    }
}
