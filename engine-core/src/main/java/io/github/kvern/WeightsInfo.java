package io.github.kvern;

/// How a model's weights are held, and why.
///
/// @param kind mapped or packed
/// @param packedBytes bytes of packed weights, 0 when mapped
/// @param reason why, in one line
public record WeightsInfo(Kind kind, long packedBytes, String reason) {
    /// Where the bytes are that products read.
    public enum Kind {
        /// In the file's mapping, as in the file.
        MAPPED,
        /// Off the heap, packed; what has no packed form is mapped.
        PACKED
    }
}
