package io.github.kvern.kernels;

/// A product kernel for one type, layout and precision. It computes a range of rows and owns no barrier. Stateless; chosen once
/// per matrix.
abstract class MatMul {
    /// The form in which this kernel wants activations of this many columns; [Form#NONE] when it reads them as they are.
    abstract Form form(int columns);

    /// What a row costs against this many columns, in multiply-adds of a fast kernel: for sharing the work evenly.
    abstract long cost(Matrix w, int columns);

    /// Rows `from` to `to` (exclusive) of one expert times the columns of one segment:
    /// `out[outAt + c * outStride + row] = row . column c`, columns counted from the segment's first. `from` is the first row of a
    /// panel; `to` is the last row's successor or the first row of a panel.
    abstract void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch);
}
