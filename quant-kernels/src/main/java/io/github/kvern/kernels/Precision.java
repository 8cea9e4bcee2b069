package io.github.kvern.kernels;

/// How a product of weights and activations is computed.
public enum Precision {
    /// Float activations times dequantised weights: one accumulator per result, fused multiply-adds in ascending order of the
    /// column. The same bits for any batch, any vector width, and without vectors.
    EXACT,
    /// As [#FAST] with packed weights, as [#EXACT] with mapped ones: in both a column's arithmetic is the same alone and among any
    /// number of others. The bits depend on the layout, and on nothing else.
    REPRODUCIBLE,
    /// Activations may be rounded to 8 bits inside a product, where that is how a type is fast. With mapped weights
    /// the last bits of a column may depend on how many columns there are.
    FAST
}
