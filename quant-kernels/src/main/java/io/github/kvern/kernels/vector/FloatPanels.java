package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;

/// Panels of the types without blocks: words are turned, then each is one value (F32) or two (F16, BF16).
public final class FloatPanels extends PanelDecoder {
    private static final int MASK = 0x8fffe000;
    private static final int SPECIAL = 0x0f800000; // an exponent of all ones, where the half's lies after the shift

    private final TensorType type;
    private final RowPanels odd;

    /// @param type F32, F16 or BF16
    public FloatPanels(TensorType type) {
        this.type = type;
        odd = new RowPanels(type);
    }

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] floats, int[] words) {
        if (type == TensorType.F32) {
            Turn.words(source, at, rowBytes, rows, count, words, 0);
            for (int i = 0; i < 32 * count; i += L) IntVector.fromArray(I, words, i).reinterpretAsFloats().intoArray(w, i);
        } else if (count % 2 != 0) { // half a word at the end of a row: rare
            odd.decode(source, at, rowBytes, rows, count, w, floats, words);
        } else {
            Turn.words(source, at, rowBytes, rows, count / 2, words, 0);
            if (type == TensorType.F16) halves(words, count / 2, w);
            else upperHalves(words, count / 2, w);
        }
    }

    private static void upperHalves(int[] words, int count, float[] w) {
        for (int i = 0; i < count; i++) {
            for (int h = 0; h < 32; h += L) {
                IntVector v = IntVector.fromArray(I, words, 32 * i + h);
                v.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(w, 64 * i + h);
                v.and(0xffff0000).reinterpretAsFloats().intoArray(w, 64 * i + 32 + h);
            }
        }
    }

    /// The half's bits, shifted, are 2^-112 of its value; where its exponent is all ones the float's must be, too.
    private static void halves(int[] words, int count, float[] w) {
        for (int i = 0; i < count; i++) {
            for (int h = 0; h < 32; h += L) {
                IntVector v = IntVector.fromArray(I, words, 32 * i + h);
                IntVector even = v.lanewise(LSHL, 16).lanewise(ASHR, 3).and(MASK);
                IntVector odd = v.lanewise(ASHR, 3).and(MASK);
                IntVector a = even.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
                IntVector b = odd.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
                a = a.blend(a.or(0x7f800000), even.and(0x7fffffff).compare(GE, SPECIAL));
                b = b.blend(b.or(0x7f800000), odd.and(0x7fffffff).compare(GE, SPECIAL));
                a.reinterpretAsFloats().intoArray(w, 64 * i + h);
                b.reinterpretAsFloats().intoArray(w, 64 * i + 32 + h);
            }
        }
    }
}
