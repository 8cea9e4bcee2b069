package io.github.kvern.kernels;

/// How a feed-forward part makes one vector of its two, gate and up.
public enum GatedUnit {
    /// `silu(gate) * up`, with `silu(z) = z / (1 + e^-z)`.
    SWI_GLU,
    /// `gelu(gate) * up`, with the tanh form `gelu(z) = z / 2 * (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3)))`, written as
    /// `z / (1 + e^-2y)` with `y` what the tanh is of.
    GE_GLU,
    /// gpt-oss: `g / (1 + e^-1.702g) * (u + 1)` with `g = min(gate, 7)` and `u` = up brought between -7 and 7.
    CLAMPED_SWI_GLU
}
