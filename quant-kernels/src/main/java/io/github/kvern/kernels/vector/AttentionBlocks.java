package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.AttentionOps.HALF_FACTOR;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Half floats of a cache page as floats. A 32-bit word holds two of them, which belong `apart` in the target:
///
/// ```text
///   word      s eeeee mmmmmmmmmm | s eeeee mmmmmmmmmm      high: place + apart, low: place
///   moved     s 000eeeee mmmmmmmmmm 0000000000000          an exponent that is 112 too small: times 2^112,
///                                                          which is exact for subnormal halves too
/// ```
///
/// An exponent of 31 (infinite, or not a number) then stands for 65536 and more, and gets all exponent bits set.
final class AttentionBlocks {
    /// Of both halves, once they are moved.
    static final int MAGNITUDE_AND_SIGN = 0x8fffe000;
    private static final int EXPONENT = 0x0f800000;
    private static final int INFINITE = 0x7f800000;
    static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LE);
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);

    private AttentionBlocks() {}

    /// Reads rows of `size` halves, in pairs `(size + 1) / 2` apart, into rows of as many floats.
    static void load(MemorySegment page, long at, int rows, int size, float[] target) {
        int words = (size + 1) / 2;
        for (int r = 0; r < rows; r++) row(page, at + 4L * r * words, words, size - words, target, r * size);
    }

    /// @param pairs words that hold two halves: all, or all but the last
    private static void row(MemorySegment page, long from, int words, int pairs, float[] target, int to) {
        int n = 0;
        for (; n + L <= pairs; n += L) {
            IntVector w = IntVector.fromMemorySegment(I, page, from + 4L * n, LE);
            IntVector low = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN);
            IntVector high = w.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN);
            IntVector lowBits = low.reinterpretAsFloats().mul(HALF_FACTOR).reinterpretAsInts();
            IntVector highBits = high.reinterpretAsFloats().mul(HALF_FACTOR).reinterpretAsInts();
            lowBits.lanewise(VectorOperators.OR, INFINITE, low.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats().intoArray(target, to + n);
            highBits.lanewise(VectorOperators.OR, INFINITE, high.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats()
                .intoArray(target, to + n + words);
        }
        for (; n < words; n++) {
            int w = page.get(WORD, from + 4L * n);
            target[to + n] = Float.float16ToFloat((short) w);
            if (n < pairs) target[to + n + words] = Float.float16ToFloat((short) (w >> 16));
        }
    }
}
