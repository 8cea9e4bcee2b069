package io.github.kvern.kernels;

/// How the weights of a [Matrix] lie in memory.
public enum Layout {
    /// As in the file, straight from the mapping: costs no memory of its own.
    MAPPED,
    /// Repacked at load, 32 rows side by side, off the heap: faster, and costs [Matrix#packedBytes()].
    PACKED
}
