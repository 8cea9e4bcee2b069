package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.AttentionOps.HALF_FACTOR;
import static io.github.kvern.kernels.AttentionOps.PANEL;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Half floats of a cache page as floats, see [io.github.kvern.kernels.AttentionOps]. A 32-bit word holds two:
///
/// ```text
///   word      s eeeee mmmmmmmmmm | s eeeee mmmmmmmmmm      high: sixteen columns further, low
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

    /// Reads the first `count` of a block's `rows` rows of `columns` halves into rows of as many floats.
    static void load(MemorySegment page, long at, int rows, int columns, int count, float[] target) {
        int c = 0;
        for (; c + PANEL <= columns; c += PANEL) {
            long panel = at + 2L * c * rows;
            for (int n = 0; n < PANEL / 2; n += L) lines(page, panel + 4L * n, count, target, c + n, columns);
        }
        if (c < columns) rest(page, at + 2L * c * rows, count, target, c, columns);
    }

    /// A vector of words of every line of a panel.
    private static void lines(MemorySegment page, long from, int count, float[] target, int to, int stride) {
        for (int r = 0; r < count; r++) {
            IntVector w = IntVector.fromMemorySegment(I, page, from + 2L * PANEL * r, LE);
            IntVector low = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN);
            IntVector high = w.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN);
            IntVector lowBits = low.reinterpretAsFloats().mul(HALF_FACTOR).reinterpretAsInts();
            IntVector highBits = high.reinterpretAsFloats().mul(HALF_FACTOR).reinterpretAsInts();
            int at = to + r * stride;
            lowBits.lanewise(VectorOperators.OR, INFINITE, low.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats()
                    .intoArray(target, at);
            highBits.lanewise(VectorOperators.OR, INFINITE, high.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats()
                    .intoArray(target, at + PANEL / 2);
        }
    }

    /// A last panel of fewer columns.
    private static void rest(MemorySegment page, long from, int count, float[] target, int to, int stride) {
        int columns = stride - to, words = (columns + 1) / 2;
        for (int r = 0; r < count; r++)
            for (int n = 0; n < words; n++) {
                int w = page.get(WORD, from + 4L * (r * words + n)), at = to + r * stride + n;
                target[at] = Float.float16ToFloat((short) w);
                if (n + words < columns) target[at + words] = Float.float16ToFloat((short) (w >> 16));
            }
    }
}
