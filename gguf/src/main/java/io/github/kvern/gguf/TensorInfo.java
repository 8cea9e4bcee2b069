package io.github.kvern.gguf;

import java.util.List;

/// A tensor's entry in the file.
///
/// @param name the tensor's name, unique in the model
/// @param type how its values are stored
/// @param shape 1 to 4 extents of at least 1, the fastest-varying first: a weight `[in, out]` holds `out` rows of `in` values;
///              the first is a multiple of the type's block length
/// @param offset first byte, counted from the start of the data section of the part that holds the tensor
/// @param part the number of that part, from 0
public record TensorInfo(String name, TensorType type, List<Long> shape, long offset, int part) {
    static final int MOST_DIMENSIONS = 4;

    /// Copies the shape and checks that its values and bytes can be counted in a `long`.
    ///
    /// @throws IllegalArgumentException if there can be no such tensor
    public TensorInfo {
        shape = List.copyOf(shape);
        checkShape(type, shape);
        if (offset < 0) throw new IllegalArgumentException("expected an offset of at least 0, found " + offset);
        if (part < 0) throw new IllegalArgumentException("expected a part of at least 0, found " + part);
    }

    private static void checkShape(TensorType type, List<Long> shape) {
        if (shape.isEmpty() || shape.size() > MOST_DIMENSIONS)
            throw new IllegalArgumentException("expected 1 to " + MOST_DIMENSIONS + " dimensions, found " + shape.size());
        for (long extent : shape)
            if (extent < 1) throw new IllegalArgumentException("expected extents of at least 1, found shape " + shape);
        long columns = shape.get(0);
        if (columns % type.blockLength() != 0)
            throw new IllegalArgumentException(
                    "expected rows of a multiple of " + type.blockLength() + " values for type " + type + ", found shape " + shape);
        try {
            long values = 1;
            for (long extent : shape) values = Math.multiplyExact(values, extent);
            Math.multiplyExact(values / type.blockLength(), type.blockBytes());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("expected a size that can be counted, found shape " + shape, e);
        }
    }

    /// The extent of a dimension, 1 for one the tensor does not have.
    ///
    /// @param dimension 0 for the fastest-varying, to 3
    public long extent(int dimension) {
        return dimension < shape.size() ? shape.get(dimension) : 1;
    }

    /// The number of values.
    public long values() {
        long n = 1;
        for (long extent : shape) n *= extent;
        return n;
    }

    /// Bytes of the tensor's data, 1 or more.
    public long bytes() {
        return type.rowBytes(extent(0)) * (values() / extent(0));
    }
}
