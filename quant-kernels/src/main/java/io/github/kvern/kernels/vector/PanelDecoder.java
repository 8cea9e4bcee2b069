package io.github.kvern.kernels.vector;

import java.lang.foreign.MemorySegment;

/// Dequantises a panel: up to 32 rows, some blocks wide, so that a lane is a row. One per type, with the bits of the type's scalar
/// decoder.
public abstract class PanelDecoder {
    /// Floats of scratch that [#decode] is given.
    public static final int BUFFER = 16 * 320;

    PanelDecoder() {}

    /// Writes `w[k][32]` for `count` values of k. Lanes of missing rows hold any finite numbers.
    ///
    /// @param source the matrix
    /// @param at byte offset of the first row's block that holds the first k
    /// @param rowBytes distance of two rows
    /// @param rows 1 to 32
    /// @param count values of k, whole blocks, at most 256
    /// @param buffer [#BUFFER] floats, overwritten
    public abstract void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] buffer);
}
