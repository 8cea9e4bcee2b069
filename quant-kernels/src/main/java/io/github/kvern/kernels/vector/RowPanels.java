package io.github.kvern.kernels.vector;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;

/// For types without a vector decoder: rows through the scalar decoder, then turned.
public final class RowPanels extends PanelDecoder {
    /// Rows turned at once.
    private static final int GROUP = 8;
    /// Floats between two rows of the buffer: not a power of two, or all rows would fall in the same cache sets.
    private static final int STRIDE = 256 + 16;

    private final TensorType type;

    public RowPanels(TensorType type) {
        this.type = type;
    }

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] buffer, int[] words) {
        for (int r = 0; r < rows; r += GROUP) {
            for (int i = 0; i < GROUP; i++)
                Decoders.decode(type, source, at + Math.min(r + i, rows - 1) * rowBytes, buffer, i * STRIDE, count);
            Turn.floats(buffer, STRIDE, GROUP, count, w, r);
        }
    }
}
