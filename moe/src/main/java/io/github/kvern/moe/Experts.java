package io.github.kvern.moe;

import io.github.kvern.kernels.GatedUnit;
import io.github.kvern.kernels.Matrix;
import java.util.Optional;

/// The weights of a stack of experts, or of a shared expert, which is a stack of one. Expert e computes
/// `down * unit(gate * x, up * x)`, each product with its bias where there are biases.
///
/// @param gate inner size x width
/// @param up inner size x width
/// @param down width x inner size
/// @param unit makes one vector of two
/// @param biases of a routed stack
public record Experts(Matrix gate, Matrix up, Matrix down, GatedUnit unit, Optional<Biases> biases) {
    /// What the products of a stack are shifted by, expert after expert.
    ///
    /// @param gate inner size for each expert
    /// @param up inner size for each expert
    /// @param down width for each expert
    public record Biases(float[] gate, float[] up, float[] down) {
    }

    /// `silu(gate * x) * (up * x)`, without biases.
    public Experts(Matrix gate, Matrix up, Matrix down) {
        this(gate, up, down, GatedUnit.SWI_GLU, Optional.empty());
    }

    /// @throws IllegalArgumentException when the shapes do not fit each other
    public Experts {
        if (gate.rows() != up.rows() || gate.columns() != up.columns() || down.rows() != gate.columns() || down.columns() != gate.rows()
                || gate.experts() != up.experts() || gate.experts() != down.experts())
            throw new IllegalArgumentException(
                    "gate " + shape(gate) + ", up " + shape(up) + " and down " + shape(down) + " do not fit each other");
        if (biases.isPresent()) {
            long inner = (long) gate.rows() * gate.experts(), width = (long) gate.columns() * gate.experts();
            Biases b = biases.get();
            if (b.gate.length != inner || b.up.length != inner || b.down.length != width)
                throw new IllegalArgumentException("biases of " + b.gate.length + ", " + b.up.length + " and " + b.down.length
                        + " values for gate " + shape(gate) + ", up " + shape(up) + " and down " + shape(down));
        }
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
