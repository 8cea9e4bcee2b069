package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.AttentionVector;
import io.github.kvern.kernels.vector.Lanes;
import io.github.kvern.kernels.vector.RowPanels;
import java.util.List;
import java.util.stream.Stream;

/// Chooses among the vector kernels. The only way from the door to the classes that link to the vector module: [Kernels] comes here
/// when it has found the module.
final class VectorKernels {
    private static final List<MatMul> EXACT = Stream.of(TensorType.values()).<MatMul>map(t -> new TileMatMul(new RowPanels(t))).toList();

    private VectorKernels() {}

    /// Bits of a vector; below 128 when there are none worth the name.
    static int bits() {
        return Lanes.BITS;
    }

    static MatMul matMul(TensorType type, Precision precision) {
        return EXACT.get(type.ordinal());
    }

    static Ops ops() {
        return new Ops();
    }

    static AttentionOps attention() {
        return new AttentionVector();
    }
}
