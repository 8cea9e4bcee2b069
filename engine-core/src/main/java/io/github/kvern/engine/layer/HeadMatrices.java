package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Region;
import java.util.List;

/// One matrix for each head: a stack of them, or so many single ones.
///
/// @param matrices one stack, or one matrix for each head
public record HeadMatrices(List<Matrix> matrices) {
    /// Copies the list.
    public HeadMatrices {
        matrices = List.copyOf(matrices);
    }

    /// Adds a head's product to a region; `x` has a segment for each head.
    void multiply(Region region, int head, Activation x, float[] out, int outAt, int outStride) {
        boolean stacked = matrices.size() == 1;
        region.multiply(matrices.get(stacked ? 0 : head), stacked ? head : 0, x, head, out, outAt, outStride);
    }

    /// Reads a row of a head's matrix as floats, to the start of `target`.
    void decodeRow(int head, int row, float[] target) {
        Matrix first = matrices.getFirst();
        if (matrices.size() == 1) first.decodeRow(head * first.rows() + row, target, 0);
        else matrices.get(head).decodeRow(row, target, 0);
    }
}
