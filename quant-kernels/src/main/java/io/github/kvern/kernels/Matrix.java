package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Weights: `experts` matrices of `rows` times `columns`, each row a whole number of blocks. What calls it does not know the
/// layout; made by [Kernels#matrix]. Immutable; the memory belongs to whoever opened the file.
public final class Matrix {
    private final TensorType type;
    private final MemorySegment segment;
    private final int rows;
    private final int columns;
    private final int experts;
    private final MatMul kernel;
    private final @Nullable PackedMatMul packing;
    private final @Nullable PackedWeights packed;

    /// @param packing kernel for the packed layout, where there is one
    /// @param packed the weights in that layout, when they were packed
    Matrix(TensorType type, MemorySegment segment, int rows, int columns, int experts, MatMul kernel, @Nullable PackedMatMul packing,
            @Nullable PackedWeights packed) {
        this.type = type;
        this.segment = segment;
        this.rows = rows;
        this.columns = columns;
        this.experts = experts;
        this.kernel = kernel;
        this.packing = packing;
        this.packed = packed;
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

    /// How the weights lie in memory.
    public Layout layout() {
        return packed == null ? Layout.MAPPED : Layout.PACKED;
    }

    /// Bytes of memory that [#packed] takes, beside the file's pages, which are then read for [#decodeRow] only; 0 when this matrix
    /// stays mapped: its type has no packed form, it is to be exact, or there are no vectors.
    public long packedBytes() {
        return packing == null ? 0 : PackedWeights.bytes(packing.type, this);
    }

    /// These weights, repacked for speed: all of the workers take part. A matrix that cannot be packed (or was) is returned as it is;
    /// one with scales that are no finite numbers too, since the packed arithmetic would turn them into numbers.
    ///
    /// The values of a product differ from the mapped layout's in the last bits. With packed weights a column's result is the same
    /// alone and among any number of others.
    ///
    /// @param arena owns the memory: [#packedBytes()]; must be shared, and outlive all products
    /// @throws OutOfMemoryError when there is no such memory
    public Matrix packed(Arena arena, Workers workers) {
        PackedMatMul p = packing;
        if (p == null || packed != null) return this;
        return PackedWeights.of(p.type, this, arena, workers)
                .map(w -> new Matrix(type, segment, rows, columns, experts, p, p, w)).orElse(this);
    }

    /// The packed weights, for the kernel that [#packed] gave this matrix.
    PackedWeights packed() {
        PackedWeights w = packed;
        if (w == null) throw new IllegalStateException("a matrix that was not packed");
        return w;
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
