package io.github.kvern.kernels;

/// How a product of weights and activations is computed.
public enum Precision {
    /// Float activations times dequantised weights: one accumulator per result, fused multiply-adds in ascending order of the
    /// column. The same bits for any batch, any vector width, and without vectors.
    EXACT,
    /// Activations may be rounded to 8 bits inside a product, where that is how a type is fast.
    FAST
}
