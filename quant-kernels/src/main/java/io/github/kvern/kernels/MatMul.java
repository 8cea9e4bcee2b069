package io.github.kvern.kernels;

/// A product kernel for one type, layout and precision. It computes a range of rows and owns no barrier. Stateless; chosen once
/// per matrix.
abstract class MatMul {
    /// Rows `from` to `to` (exclusive) of one expert times the columns of one segment:
    /// `out[outAt + c * outStride + row] = row . column c`, columns counted from the segment's first.
    abstract void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
        WorkerScratch scratch);
}
