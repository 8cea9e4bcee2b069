package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q6_K: words of low and of high bits are turned, then joined, split and scaled.
public final class SixPanels extends PanelDecoder {
    private static final int BYTES = 210;
    private static final int LOW = 0, HIGH = 32 * 32, SCALES = HIGH + 16 * 32;

    /// For the door.
    public SixPanels() {}

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] floats, int[] words) {
        for (int block = 0; block < count; block += 256, at += BYTES) {
            halves(source, at + 208, rowBytes, rows, floats, 0);
            Turn.words(source, at, rowBytes, rows, 32, words, LOW);
            Turn.words(source, at + 128, rowBytes, rows, 16, words, HIGH);
            Turn.words(source, at + 192, rowBytes, rows, 4, words, SCALES);
            for (int run = 0; run < 8; run++) run(words, floats, run, w, 32 * (block + 32 * run));
        }
    }

    /// A run of 32 values: two groups with a scale each.
    private static void run(int[] words, float[] floats, int run, float[] w, int out) {
        int low = LOW + run / 4 * 512 + run % 2 * 256;
        int lowShift = run / 2 % 2 * 4;
        int high = HIGH + run / 4 * 256;
        int highShift = run % 4 * 2;
        for (int h = 0; h < 32; h += L) {
            FloatVector d = FloatVector.fromArray(F, floats, h);
            IntVector scales = IntVector.fromArray(I, words, SCALES + run / 2 * 32 + h).lanewise(LSHL, 16 - run % 2 * 16);
            for (int group = 0; group < 2; group++) {
                FloatVector s = ((FloatVector) scales.lanewise(LSHL, 8 - 8 * group).lanewise(ASHR, 24).convert(I2F, 0)).mul(d);
                for (int i = 4 * group; i < 4 * group + 4; i++) {
                    IntVector v = IntVector.fromArray(I, words, low + 32 * i + h).lanewise(LSHR, lowShift).and(0x0f0f0f0f)
                            .or(IntVector.fromArray(I, words, high + 32 * i + h).lanewise(LSHR, highShift).and(0x03030303).lanewise(LSHL,
                                    4));
                    int o = out + 128 * i + h;
                    ((FloatVector) v.and(63).sub(32).convert(I2F, 0)).mul(s).intoArray(w, o);
                    ((FloatVector) v.lanewise(LSHR, 8).and(63).sub(32).convert(I2F, 0)).mul(s).intoArray(w, o + 32);
                    ((FloatVector) v.lanewise(LSHR, 16).and(63).sub(32).convert(I2F, 0)).mul(s).intoArray(w, o + 64);
                    ((FloatVector) v.lanewise(LSHR, 24).sub(32).convert(I2F, 0)).mul(s).intoArray(w, o + 96);
                }
            }
        }
    }
}
