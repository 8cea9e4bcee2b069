package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;

/// Weights: `experts` matrices of `rows` times `columns`, each row a whole number of blocks. What calls it does not know the
/// layout; made by [Kernels#matrix]. Immutable; the memory belongs to whoever opened the file.
public final class Matrix {
    private final TensorType type;
    private final MemorySegment segment;
    private final int rows;
    private final int columns;
    private final int experts;
    private final MatMul kernel;

    Matrix(TensorType type, MemorySegment segment, int rows, int columns, int experts, MatMul kernel) {
        this.type = type;
        this.segment = segment;
        this.rows = rows;
        this.columns = columns;
        this.experts = experts;
        this.kernel = kernel;
    }

    public TensorType type() {
        return type;
    }

    /// Rows of one expert: values in a result.
    public int rows() {
        return rows;
    }

    /// Values in a row: values in an activation.
    public int columns() {
        return columns;
    }

    /// Stacked matrices of this shape, 1 for a plain weight.
    public int experts() {
        return experts;
    }

    /// Bytes of all experts as stored.
    public long bytes() {
        return segment.byteSize();
    }

    /// Bytes of one row as stored.
    public long rowBytes() {
        return type.rowBytes(columns);
    }

    /// The weights, as in the file.
    public MemorySegment segment() {
        return segment;
    }

    MatMul kernel() {
        return kernel;
    }

    /// Dequantises one row, as an embedding look-up does.
    ///
    /// @param row 0 to `experts * rows - 1`
    /// @param target takes [#columns()] floats from `at` on
    public void decodeRow(int row, float[] target, int at) {
        Decoders.decode(type, segment, row * rowBytes(), target, at, columns);
    }
}
