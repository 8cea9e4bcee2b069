package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Consumer;

/// A type's packed layout outside of memory: in files. This is where its version is: [#format()].
public final class PackedForm {
    private final PackedMatMul kernel;

    private PackedForm(PackedMatMul kernel) {
        this.kernel = kernel;
    }

    /// The layout of a type; empty when it has none, or when there are no vectors.
    public static Optional<PackedForm> of(Kernels kernels, TensorType type) {
        if (kernels.name().equals("scalar")) return Optional.empty();
        return Optional.ofNullable(VectorKernels.packing(type)).map(PackedForm::new);
    }

    /// A name for the layout, which changes whenever the layout does: it is worked out from what packing does to bits.
    public String format() {
        return kernel.unpacking().format();
    }

    /// Bytes of a packed matrix.
    ///
    /// @param columns whole blocks of the type
    public long bytes(int rows, int columns, int experts) {
        return PackedWeights.bytes(kernel.type, rows, columns, experts);
    }

    /// A matrix that was packed before.
    ///
    /// @param packed its bytes: [#bytes]; a mapping's, say
    /// @throws IllegalArgumentException the segment has another size
    public Matrix matrix(TensorType type, MemorySegment packed, int rows, int columns, int experts) {
        if (packed.byteSize() != bytes(rows, columns, experts))
            throw new IllegalArgumentException("a packed " + type + " matrix of " + experts + " x " + rows + " x " + columns + ": expected "
                    + bytes(rows, columns, experts) + " bytes, found " + packed.byteSize());
        PackedType form = kernel.type;
        return new Matrix(type, null, rows, columns, experts, kernel, kernel,
                PackedWeights.in(packed, form, rows, columns, experts));
    }

    /// Rows of one expert that lie on multiples of this many can be cut out of a packed matrix: a panel.
    public static final int ROWS = 32;

    /// Packs a matrix piece by piece.
    ///
    /// @param source its bytes as in the file
    /// @param bufferBytes about the size of a piece, at least 32 rows
    /// @param sink takes the pieces in order; the memory is used again
    /// @return false when it cannot be packed, since a scale is no finite number; part of it may have gone to the sink
    public boolean pack(Matrix m, ByteSource source, Workers workers, long bufferBytes, Consumer<MemorySegment> sink) {
        return PackedWeights.stream(kernel.type, m, source, workers, bufferBytes, sink);
    }
}
