package io.github.kvern.kernels;

import java.lang.foreign.MemorySegment;

/// The bytes of a matrix as in its file, for packing: read in pieces, so that they need not be mapped.
@FunctionalInterface
public interface ByteSource {
    /// Reads bytes. Called by several workers at once.
    ///
    /// @param from the first byte, counted from the matrix's first
    /// @param into filled to its end
    void read(long from, MemorySegment into);
}
