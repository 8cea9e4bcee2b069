package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Weights: `experts` matrices of `rows` times `columns`, each row a whole number of blocks. What calls it does not know the
/// layout; made by [Kernels#matrix]. Immutable; the memory belongs to whoever opened the file.
public final class Matrix {
    /// One a thread, so that a look-up allocates nothing.
    private static final ThreadLocal<RestoredRows> RESTORED = ThreadLocal.withInitial(RestoredRows::new);

    private final TensorType type;
    private final @Nullable MemorySegment segment;
    private final int rows;
    private final int columns;
    private final int experts;
    private final MatMul kernel;
    private final @Nullable PackedMatMul packing;
    private final @Nullable PackedWeights packed;

    /// @param segment as in the file; null when packed
    /// @param packing kernel for the packed layout, where there is one
    /// @param packed the weights in that layout, when they were packed
    Matrix(TensorType type, @Nullable MemorySegment segment, int rows, int columns, int experts, MatMul kernel,
            @Nullable PackedMatMul packing, @Nullable PackedWeights packed) {
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

    /// Bytes of all experts as in the file.
    public long bytes() {
        return (long) experts * rows * rowBytes();
    }

    /// Bytes of one row as in the file.
    public long rowBytes() {
        return type.rowBytes(columns);
    }

    /// The weights, as in the file.
    ///
    /// @throws IllegalStateException they are packed, and nowhere as in the file
    public MemorySegment segment() {
        MemorySegment s = segment;
        if (s == null) throw new IllegalStateException("a packed matrix has no rows as in the file");
        return s;
    }

    /// The memory that products read: the segment as in the file, or the chunks of packed weights.
    public List<MemorySegment> memory() {
        PackedWeights w = packed;
        return w == null ? List.of(segment()) : w.memory();
    }

    /// How the weights lie in memory.
    public Layout layout() {
        return packed == null ? Layout.MAPPED : Layout.PACKED;
    }

    /// Bytes of memory that [#packed] takes; 0 when this matrix stays mapped: its type has no packed form, it is to be exact, or there
    /// are no vectors.
    public long packedBytes() {
        return packing == null ? 0 : PackedWeights.bytes(packing.type, rows, columns, experts);
    }

    /// As [#packed(ByteSource, SegmentAllocator, Workers)], from this matrix's own segment.
    public Matrix packed(SegmentAllocator memory, Workers workers) {
        if (packing == null || packed != null) return this;
        return packed((from, into) -> MemorySegment.copy(segment(), from, into, 0, into.byteSize()), memory, workers);
    }

    /// These weights, repacked for speed: all of the workers take part. What is returned no longer refers to this matrix's memory. A
    /// matrix that cannot be packed (or was) is returned as it is; one with scales that are no finite numbers too, since the packed
    /// arithmetic would turn them into numbers.
    ///
    /// The values of a product differ from the mapped layout's in the last bits. With packed weights a column's result is the same
    /// alone and among any number of others.
    ///
    /// @param source what the segment holds: read once, without touching the segment
    /// @param memory gives the memory, [#packedBytes()], piece by piece, to several threads at once: a shared arena, or what lives as long as
    ///     one; it must outlive all products
    /// @throws OutOfMemoryError when there is no such memory
    public Matrix packed(ByteSource source, SegmentAllocator memory, Workers workers) {
        PackedMatMul p = packing;
        if (p == null || packed != null) return this;
        return PackedWeights.of(p.type, this, source, memory, workers)
                .map(w -> new Matrix(type, null, rows, columns, experts, p, p, w)).orElse(this);
    }

    /// The memory that products with one expert read, where that is one piece.
    ///
    /// @return empty for weights that were packed in memory: they are not read from a file any more
    public Optional<MemorySegment> memory(int expert) {
        PackedWeights w = packed;
        if (w != null) return w.memory(expert);
        long bytes = rows * rowBytes();
        return Optional.of(segment().asSlice(expert * bytes, bytes));
    }

    /// This matrix as it computes when it is packed, without packing anything: good for finding out how much room a step needs, and for
    /// looking up rows, not for products. The matrix itself when it stays mapped.
    public Matrix asIfPacked() {
        PackedMatMul p = packing;
        if (p == null || packed != null) return this;
        return new Matrix(type, segment, rows, columns, experts, p, p, null);
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

    /// Rows that should be computed together, against this many columns: a multiple of 32.
    public int unitRows(int columns) {
        return kernel.unitRows(columns);
    }

    /// What a row costs against this many columns, in multiply-adds of a fast kernel: for sharing work evenly.
    public long rowCost(int columns) {
        return kernel.cost(this, columns);
    }

    /// Rows `from` to `to` (exclusive) of one expert times the columns of one segment, on this thread:
    /// `out[outAt + c * outStride + row] = row . column c`, columns counted from the segment's first. For work in a [Pipeline] that has
    /// prepared the segment for this matrix.
    ///
    /// @param from a multiple of 32
    /// @param to a multiple of 32, or [#rows()]
    /// @param outAt may be negative: of `out`, only what belongs to the rows is touched
    /// @throws IllegalArgumentException when widths differ, or there are no such rows or columns
    public void multiply(int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        if (x.width() != columns || expert < 0 || expert >= experts || from < 0 || from % WorkList.PANEL != 0 || to > rows
                || to % WorkList.PANEL != 0 && to != rows || segment < 0 || segment >= x.segments())
            throw new IllegalArgumentException("rows " + from + " to " + to + " of expert " + expert + " of " + experts + " x " + rows
                    + " x " + columns + " times segment " + segment + " of " + x.segments() + " of vectors of " + x.width());
        kernel.multiply(this, expert, from, to, x, segment, out, outAt, outStride, scratch);
    }

    /// Dequantises one row, as an embedding look-up does.
    ///
    /// @param row 0 to `experts * rows - 1`
    /// @param target takes [#columns()] floats from `at` on
    public void decodeRow(int row, float[] target, int at) {
        PackedMatMul p = packing;
        if (packed == null || p == null) Decoders.decode(type, segment(), row * rowBytes(), target, at, columns);
        else Decoders.decode(type, RESTORED.get().of(this, p, row / rows, row % rows, 1), 0, target, at, columns);
    }
}
