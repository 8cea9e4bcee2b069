package io.github.kvern.kernels.vector;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// For types without a vector decoder: rows through the scalar decoder, then turned.
public final class RowPanels extends PanelDecoder {
    /// Rows turned at once.
    private static final int GROUP = 16;
    /// Floats between two rows of the buffer: not a power of two, or all rows would fall in the same cache sets.
    private static final int STRIDE = 256 + 16;

    private final TensorType type;

    public RowPanels(TensorType type) {
        this.type = type;
    }

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] buffer) {
        for (int r = 0; r < Tile.ROWS; r += GROUP) {
            for (int i = 0; i < GROUP; i++) {
                if (r + i < rows) Decoders.decode(type, source, at + (r + i) * rowBytes, buffer, i * STRIDE, count);
                else Arrays.fill(buffer, i * STRIDE, i * STRIDE + count, 0);
            }
            for (int k = 0; k < count; k++)
                for (int i = 0; i < GROUP; i++) w[k * Tile.ROWS + r + i] = buffer[i * STRIDE + k];
        }
    }
}
