package io.github.kvern.moe;

import io.github.kvern.kernels.Matrix;

/// The weights of a stack of experts, or of a shared expert, which is a stack of one. Expert e computes
/// `down * (silu(gate * x) * (up * x))`.
///
/// @param gate inner size x width
/// @param up inner size x width
/// @param down width x inner size
public record Experts(Matrix gate, Matrix up, Matrix down) {
    /// @throws IllegalArgumentException when the shapes do not fit each other
    public Experts {
        if (gate.rows() != up.rows() || gate.columns() != up.columns() || down.rows() != gate.columns() || down.columns() != gate.rows()
                || gate.experts() != up.experts() || gate.experts() != down.experts())
            throw new IllegalArgumentException(
                    "gate " + shape(gate) + ", up " + shape(up) + " and down " + shape(down) + " do not fit each other");
    }

    /// How many experts are stacked.
    public int count() {
        return gate.experts();
    }

    /// Values of an input and of a result.
    public int width() {
        return gate.columns();
    }

    /// Values between.
    public int inner() {
        return gate.rows();
    }

    private static String shape(Matrix m) {
        return m.experts() + " x " + m.rows() + " x " + m.columns();
    }
}
