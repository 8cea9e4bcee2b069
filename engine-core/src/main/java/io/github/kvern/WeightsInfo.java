package io.github.kvern;

/// How a model's weights are held, and why.
///
/// @param kind mapped, packed, or mapped from a packed file
/// @param packedBytes bytes of packed weights off the heap, 0 when they are mapped
/// @param reason why, in one line
public record WeightsInfo(Kind kind, long packedBytes, String reason) {
    /// Where the bytes are that products read.
    public enum Kind {
        /// In the file's mapping, as in the file.
        MAPPED,
        /// Off the heap, packed; what has no packed form is mapped.
        PACKED,
        /// In the mapping of a file that [Repack] wrote, packed: shared by processes, paged in and out by the operating system.
        PACKED_FILE
    }
}
