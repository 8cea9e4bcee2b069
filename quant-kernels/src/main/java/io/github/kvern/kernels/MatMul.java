package io.github.kvern.kernels;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// A product kernel for one type, layout and precision. It computes a range of rows and owns no barrier. Stateless; chosen once
/// per matrix.
abstract class MatMul {
    /// The form in which this kernel wants activations of this many columns; [Form#NONE] when it reads them as they are.
    abstract Form form(int columns);

    /// What a row costs against this many columns, in multiply-adds of a fast kernel: for sharing the work evenly.
    abstract long cost(Matrix w, int columns);

    /// Rows that should be computed together, against this many columns: a multiple of [WorkList#PANEL].
    int unitRows(int columns) {
        return WorkList.PANEL;
    }

    /// Rows `from` to `to` (exclusive) of one expert times the columns of one segment:
    /// `out[outAt + c * outStride + row] = row . column c`, columns counted from the segment's first. `from` is the first row of a
    /// panel; `to` is the last row's successor or the first row of a panel.
    abstract void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch);

    /// What there is to compile for matrices like this one.
    abstract List<Exercise> exercises(Matrix sample);

    /// A little matrix at the beginning of a sample's memory, at most a panel high, and about this wide; zeros if it is packed.
    static Matrix little(Matrix sample, int columns) {
        int block = sample.type().blockLength();
        int k = Math.min(sample.columns(), Math.max(block, columns / block * block));
        int rows = Math.min(sample.rows(), WorkList.PANEL);
        long bytes = rows * sample.type().rowBytes(k);
        MemorySegment s = sample.layout() == Layout.MAPPED ? sample.segment().asSlice(0, bytes)
                : MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]); // packed: only the shape counts
        return new Matrix(sample.type(), s, rows, k, 1, sample.kernel(), null, null);
    }

    /// Columns for it: of every two blocks the second is all large values, the first has few (packed kernels have loops for either).
    static Activation columns(Matrix little, int count) {
        Activation x = new Activation(little.columns(), count);
        x.reset(count);
        for (int i = 0; i < count * little.columns(); i++) x.values()[i] = (i * 31 % 63 - 31) / ((i & 256) == 0 && i % 16 > 0 ? 64f : 16f);
        return x;
    }
}
