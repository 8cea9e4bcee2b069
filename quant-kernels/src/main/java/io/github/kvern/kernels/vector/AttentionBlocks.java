package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Half floats of a cache page as floats. A 32-bit word holds two of them, which belong to places `apart` in the target:
///
/// ```text
///   word      s eeeee mmmmmmmmmm | s eeeee mmmmmmmmmm      high: place + apart, low: place
///   moved     s 000eeeee mmmmmmmmmm 0000000000000          an exponent that is 112 too small: times 2^112,
///                                                          which is exact for subnormal halves too
/// ```
///
/// An exponent of 31 (infinite, or not a number) then stands for 65536 and more, and gets all exponent bits set.
final class AttentionBlocks {
    private static final int MAGNITUDE_AND_SIGN = 0x8fffe000;
    private static final int EXPONENT = 0x0f800000;
    private static final int INFINITE = 0x7f800000;
    private static final float REBIAS = 0x1p112f;
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);

    private AttentionBlocks() {}

    /// Reads `rows` rows of `words` words each into rows of `stride` floats; the high halves only of the first `highRows` rows.
    static void load(MemorySegment page, long at, int rows, int highRows, int words, float[] target, int stride, int apart) {
        for (int r = 0; r < rows; r++) {
            long from = at + 4L * r * words;
            if (r < highRows) both(page, from, words, target, r * stride, apart);
            else low(page, from, words, target, r * stride);
        }
    }

    private static void both(MemorySegment page, long from, int words, float[] target, int to, int apart) {
        int n = 0;
        for (; n + L <= words; n += L) {
            IntVector w = IntVector.fromMemorySegment(I, page, from + 4L * n, LE);
            IntVector low = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN);
            IntVector high = w.lanewise(VectorOperators.ASHR, 3).and(MAGNITUDE_AND_SIGN);
            IntVector lowBits = low.reinterpretAsFloats().mul(REBIAS).reinterpretAsInts();
            IntVector highBits = high.reinterpretAsFloats().mul(REBIAS).reinterpretAsInts();
            lowBits.lanewise(VectorOperators.OR, INFINITE, low.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats()
                    .intoArray(target, to + n);
            highBits.lanewise(VectorOperators.OR, INFINITE, high.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats()
                    .intoArray(target, to + n + apart);
        }
        for (; n < words; n++) {
            int w = page.get(WORD, from + 4L * n);
            target[to + n] = Float.float16ToFloat((short) w);
            target[to + n + apart] = Float.float16ToFloat((short) (w >> 16));
        }
    }

    private static void low(MemorySegment page, long from, int words, float[] target, int to) {
        int n = 0;
        for (; n + L <= words; n += L) {
            IntVector low = IntVector.fromMemorySegment(I, page, from + 4L * n, LE).lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 3)
                    .and(MAGNITUDE_AND_SIGN);
            IntVector bits = low.reinterpretAsFloats().mul(REBIAS).reinterpretAsInts();
            bits.lanewise(VectorOperators.OR, INFINITE, low.and(EXPONENT).compare(VectorOperators.EQ, EXPONENT)).reinterpretAsFloats()
                    .intoArray(target, to + n);
        }
        for (; n < words; n++) target[to + n] = Float.float16ToFloat((short) page.get(WORD, from + 4L * n));
    }
}
