package io.github.kvern.kernels.scalar;

import java.util.Objects;

/// What every decoder asks of its arguments.
final class Blocks {
    private Blocks() {
    }

    /// Fails unless `count` values are a whole number of blocks of `length` values and have room in `target`. The end of the
    /// source is checked where it is read.
    static void require(int length, int count, float[] target, int at) {
        if (count % length != 0) {
            throw new IllegalArgumentException("expected a multiple of the block length " + length + ", found " + count + " values");
        }
        Objects.checkFromIndexSize(at, count, target.length);
    }
}
