package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q4_0: words of eight values, four and the four that lie 16 further on, are turned, then split.
public final class NibblePanels extends PanelDecoder {
    private static final int BYTES = 18;

    /// For the door.
    public NibblePanels() {}

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] floats, int[] words) {
        for (int i = 0; i < count / 32; i++) {
            halves(source, at + i * BYTES, rowBytes, rows, floats, 0);
            Turn.words(source, at + i * BYTES + 2, rowBytes, rows, 4, words, 0);
            block(words, floats, w, 32 * 32 * i);
        }
    }

    private static void block(int[] words, float[] scales, float[] w, int out) {
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++, out += 32) {
                for (int h = 0; h < 32; h += L) {
                    IntVector v = IntVector.fromArray(I, words, 32 * i + h).lanewise(LSHR, 8 * j);
                    FloatVector d = FloatVector.fromArray(F, scales, h);
                    ((FloatVector) v.and(15).sub(8).convert(I2F, 0)).mul(d).intoArray(w, out + h);
                    ((FloatVector) v.lanewise(LSHR, 4).and(15).sub(8).convert(I2F, 0)).mul(d).intoArray(w, out + 512 + h);
                }
            }
        }
    }
}
