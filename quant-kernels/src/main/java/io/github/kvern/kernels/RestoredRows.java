package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.MemorySegment;

/// Buffers in which a few rows of a packed matrix are restored as they are in the file. They grow to what is asked for and are kept.
/// Belongs to one thread.
final class RestoredRows {
    /// Rows that are restored at once, at most; a panel holds a multiple of it.
    static final int MOST = PackedType.ROWS / 4;

    private byte[] block = {};
    private byte[] bytes = {};
    private MemorySegment segment = MemorySegment.NULL;

    /// Restores rows of one panel.
    ///
    /// @param kernel of the matrix
    /// @param row first of them, in its expert
    /// @param rows 1 to [#MOST]
    /// @return the rows, one after the other, until the next call
    MemorySegment of(Matrix w, PackedMatMul kernel, int expert, int row, int rows) {
        bytes(w, kernel, expert, row, rows);
        return segment;
    }

    /// The same, as an array.
    byte[] bytes(Matrix w, PackedMatMul kernel, int expert, int row, int rows) {
        if (block.length < kernel.type.blockBytes()) block = new byte[kernel.type.blockBytes()];
        if (bytes.length < rows * w.rowBytes()) {
            bytes = new byte[Math.toIntExact(rows * w.rowBytes())];
            segment = MemorySegment.ofArray(bytes);
        }
        PackedWeights packed = w.packed();
        int panel = row / PackedType.ROWS;
        kernel.unpacking().rows(packed.segment(expert, panel), packed.offset(expert, panel), w.columns() / kernel.type.blockLength(),
                row % PackedType.ROWS, rows, block, bytes);
        return bytes;
    }
}
