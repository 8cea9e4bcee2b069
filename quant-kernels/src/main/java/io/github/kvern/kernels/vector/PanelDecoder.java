package io.github.kvern.kernels.vector;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;

/// Dequantises a panel: up to 32 rows, some blocks wide, so that a lane is a row. One per type, with the bits of the type's scalar
/// decoder.
public abstract class PanelDecoder {
    /// Floats of scratch that [#decode] is given.
    public static final int FLOATS = 8 * 288;
    /// Ints of scratch that [#decode] is given: 256 values of 32 bits for 32 rows, and some scales.
    public static final int INTS = 32 * (256 + 32);

    PanelDecoder() {}

    /// Writes `w[k][32]` for `count` values of k, and anything behind them up to a multiple of 8. Lanes of missing rows hold
    /// anything: no lane has an influence on another.
    ///
    /// @param source the matrix
    /// @param at byte offset of the first row's block that holds the first k
    /// @param rowBytes distance of two rows
    /// @param rows 1 to 32
    /// @param count values of k, whole blocks, at most 256
    /// @param floats [#FLOATS] floats, overwritten
    /// @param ints [#INTS] ints, overwritten
    public abstract void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] floats, int[] ints);

    /// The half floats at this place of each row, as floats.
    static void halves(MemorySegment source, long at, long rowBytes, int rows, float[] out, int outAt) {
        for (int r = 0; r < 32; r++)
            out[outAt + r] = Float.float16ToFloat(source.get(LittleEndian.SHORT, at + Math.min(r, rows - 1) * rowBytes));
    }
}
