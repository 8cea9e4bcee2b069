package io.github.kvern.engine.layer;

import io.github.kvern.gguf.Tensor;
import io.github.kvern.kernels.Matrix;

/// Where a model's matrices are put while it is loaded.
@FunctionalInterface
public interface Placement {
    /// Leaves everything in the file's mapping.
    Placement MAPPED = (tensor, from, m) -> m;

    /// Puts one matrix. Not asked for one of which only rows are looked up.
    ///
    /// @param tensor holds the matrix
    /// @param from where in the tensor it begins, in bytes
    /// @param m the matrix, in the mapping
    /// @return the matrix, where it is from now on
    Matrix place(Tensor tensor, long from, Matrix m);
}
