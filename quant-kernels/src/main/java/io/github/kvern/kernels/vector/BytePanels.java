package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q8_0: words of four values are turned, then split.
public final class BytePanels extends PanelDecoder {
    private static final int BYTES = 34;

    /// For the door.
    public BytePanels() {}

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] floats, int[] words) {
        for (int i = 0; i < count / 32; i++) {
            halves(source, at + i * BYTES, rowBytes, rows, floats, 0);
            Turn.words(source, at + i * BYTES + 2, rowBytes, rows, 8, words, 0);
            block(words, floats, w, 32 * 32 * i);
        }
    }

    private static void block(int[] words, float[] scales, float[] w, int out) {
        for (int i = 0; i < 8; i++, out += 4 * 32) {
            for (int h = 0; h < 32; h += L) {
                IntVector v = IntVector.fromArray(I, words, 32 * i + h);
                FloatVector d = FloatVector.fromArray(F, scales, h);
                ((FloatVector) v.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0)).mul(d).intoArray(w, out + h);
                ((FloatVector) v.lanewise(LSHL, 16).lanewise(ASHR, 24).convert(I2F, 0)).mul(d).intoArray(w, out + 32 + h);
                ((FloatVector) v.lanewise(LSHL, 8).lanewise(ASHR, 24).convert(I2F, 0)).mul(d).intoArray(w, out + 64 + h);
                ((FloatVector) v.lanewise(ASHR, 24).convert(I2F, 0)).mul(d).intoArray(w, out + 96 + h);
            }
        }
    }
}
