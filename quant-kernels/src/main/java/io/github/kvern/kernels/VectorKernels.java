package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.Lanes;
import io.github.kvern.kernels.vector.RowPanels;
import java.util.EnumMap;
import java.util.Map;

/// Chooses among the vector kernels. The only way from the door to the classes that link to the vector module: [Kernels] comes here
/// when it has found the module.
final class VectorKernels {
    private static final Map<TensorType, MatMul> EXACT = new EnumMap<>(TensorType.class);

    static {
        for (TensorType type : TensorType.values()) EXACT.put(type, new TileMatMul(new RowPanels(type)));
    }

    private VectorKernels() {}

    /// Bits of a vector; below 128 when there are none worth the name.
    static int bits() {
        return Lanes.BITS;
    }

    static MatMul matMul(TensorType type, Precision precision) {
        return EXACT.get(type);
    }

    static Ops ops() {
        return new Ops();
    }

    static AttentionOps attention() {
        return new AttentionOps();
    }
}
