package io.github.kvern.kernels.scalar;

import java.lang.foreign.MemorySegment;

/// IEEE 754 binary32, the value itself.
/// ```
/// byte  0..3
///       value
/// ```
public final class F32 {
    private F32() {
    }

    /// Decodes `count` values from byte `offset` on into `target` from index `at` on.
    public static void decode(MemorySegment source, long offset, float[] target, int at, int count) {
        Blocks.require(1, count, target, at);
        MemorySegment.copy(source, LittleEndian.FLOAT, offset, target, at, count);
    }
}
