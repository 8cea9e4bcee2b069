package io.github.kvern.kvcache;

/// How the heads of one layer get their own keys and values from latent vectors: two matrices for each head.
public interface LatentHeads {
    /// Values of a head's key that follow from the latent vector. What else the cache keeps of a position, all heads have behind
    /// these as it is.
    int plainSize();

    /// Values of a head's value.
    int valueSize();

    /// Reads a head's matrices as floats, each row packed as [io.github.kvern.kernels.AttentionOps#pack] packs a query. Called by
    /// workers, for different heads at the same time.
    ///
    /// @param keys takes `plainSize` rows of as many values as a latent vector has
    /// @param values takes `valueSize` such rows
    /// @param row room for a row of either matrix, or of one turned over
    void pack(int head, float[] keys, float[] values, float[] row);
}
