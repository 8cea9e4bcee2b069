package io.github.kvern.gguf;

import java.util.List;

/// A tensor's entry in the file.
///
/// @param name the tensor's name, unique in the model
/// @param type how its values are stored
/// @param shape 1 to 4 extents, the fastest-varying first: a weight `[in, out]` holds `out` rows of `in` values
/// @param offset first byte, counted from the start of the data section of the part that holds the tensor
/// @param part the number of that part, from 0
public record TensorInfo(String name, TensorType type, List<Long> shape, long offset, int part) {
    /// Copies the shape.
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /// The extent of a dimension, 1 for one the tensor does not have.
    ///
    /// @param dimension 0 to 3
    public long extent(int dimension) {
        return dimension < shape.size() ? shape.get(dimension) : 1;
    }

    /// The number of values. Cannot overflow: checked when the file was read.
    public long values() {
        long n = 1;
        for (long extent : shape) n *= extent;
        return n;
    }

    /// Bytes of the tensor's data.
    public long bytes() {
        return type.rowBytes(extent(0)) * (values() / Math.max(1, extent(0)));
    }
}
