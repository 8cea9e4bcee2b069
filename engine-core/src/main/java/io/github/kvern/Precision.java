package io.github.kvern;

/// How products of weights and activations are computed.
public enum Precision {
    /// Float activations times dequantised weights, and by default an F32 cache: the reference against which speed is bought. The
    /// same bits for any thread count, vector width, micro-batch and batch composition.
    EXACT,
    /// Activations may be rounded to 8 bits inside a product, where that is how a weight type is fast; by default an F16 cache.
    FAST
}
