package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q4_K and Q5_K: words of eight nibbles, four and the four that lie 32 further on, are turned, then split and scaled.
public final class SuperPanels extends PanelDecoder {
    /// Where in the words the scales, the minimums (8 groups x 32 rows, a byte an int's quarter: 2 x 32 ints each) and the high bits lie.
    private static final int NIBBLES = 0, HIGH = 32 * 32, SCALES = HIGH + 8 * 32, MINIMUMS = SCALES + 2 * 32;

    private final boolean five;
    private final int bytes;

    /// @param five whether there is a fifth bit: Q5_K
    public SuperPanels(boolean five) {
        this.five = five;
        bytes = five ? 176 : 144;
    }

    @Override
    public void decode(MemorySegment source, long at, long rowBytes, int rows, int count, float[] w, float[] floats, int[] words) {
        for (int block = 0; block < count; block += 256, at += bytes) {
            halves(source, at, rowBytes, rows, floats, 0);
            halves(source, at + 2, rowBytes, rows, floats, 32);
            for (int r = 0; r < 32; r++) scales(source, at + 4 + Math.min(r, rows - 1) * rowBytes, words, r);
            Turn.words(source, at + bytes - 128, rowBytes, rows, 32, words, NIBBLES);
            if (five) Turn.words(source, at + 16, rowBytes, rows, 8, words, HIGH);
            for (int pair = 0; pair < 4; pair++) {
                group(words, floats, 2 * pair);
                if (five) pair5(words, 256 * pair, pair, floats, w, 32 * (block + 64 * pair));
                else pair4(words, 256 * pair, floats, w, 32 * (block + 64 * pair));
            }
        }
    }

    /// The 6-bit scales and minimums of a row, as two ints of four bytes each.
    private static void scales(MemorySegment source, long at, int[] words, int row) {
        int a = source.get(LittleEndian.INT, at), b = source.get(LittleEndian.INT, at + 4), c = source.get(LittleEndian.INT, at + 8);
        words[SCALES + row] = a & 0x3f3f3f3f;
        words[SCALES + 32 + row] = c & 0x0f0f0f0f | a >>> 2 & 0x30303030;
        words[MINIMUMS + row] = b & 0x3f3f3f3f;
        words[MINIMUMS + 32 + row] = c >>> 4 & 0x0f0f0f0f | b >>> 2 & 0x30303030;
    }

    /// Scale and minimum of the groups g and g + 1, as floats: to floats 64.., 96.., 128.. and 160...
    private static void group(int[] words, float[] floats, int g) {
        int half = g / 4 * 32;
        int shift = g % 4 * 8;
        for (int h = 0; h < 32; h += L) {
            IntVector s = IntVector.fromArray(I, words, SCALES + half + h).lanewise(LSHR, shift);
            IntVector m = IntVector.fromArray(I, words, MINIMUMS + half + h).lanewise(LSHR, shift);
            FloatVector d = FloatVector.fromArray(F, floats, h), dmin = FloatVector.fromArray(F, floats, 32 + h);
            ((FloatVector) s.and(63).convert(I2F, 0)).mul(d).intoArray(floats, 64 + h);
            ((FloatVector) m.and(63).convert(I2F, 0)).mul(dmin).intoArray(floats, 96 + h);
            ((FloatVector) s.lanewise(LSHR, 8).and(63).convert(I2F, 0)).mul(d).intoArray(floats, 128 + h);
            ((FloatVector) m.lanewise(LSHR, 8).and(63).convert(I2F, 0)).mul(dmin).intoArray(floats, 160 + h);
        }
    }

    private static void pair4(int[] words, int in, float[] floats, float[] w, int out) {
        for (int h = 0; h < 32; h += L) {
            FloatVector s = FloatVector.fromArray(F, floats, 64 + h), m = FloatVector.fromArray(F, floats, 96 + h);
            FloatVector t = FloatVector.fromArray(F, floats, 128 + h), n = FloatVector.fromArray(F, floats, 160 + h);
            for (int i = 0; i < 8; i++) {
                IntVector v = IntVector.fromArray(I, words, in + 32 * i + h);
                int o = out + 128 * i + h;
                ((FloatVector) v.and(15).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o);
                ((FloatVector) v.lanewise(LSHR, 8).and(15).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o + 32);
                ((FloatVector) v.lanewise(LSHR, 16).and(15).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o + 64);
                ((FloatVector) v.lanewise(LSHR, 24).and(15).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o + 96);
                ((FloatVector) v.lanewise(LSHR, 4).and(15).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024);
                ((FloatVector) v.lanewise(LSHR, 12).and(15).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024 + 32);
                ((FloatVector) v.lanewise(LSHR, 20).and(15).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024 + 64);
                ((FloatVector) v.lanewise(LSHR, 28).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024 + 96);
            }
        }
    }

    /// Bit 2 * pair of a byte of the high words is bit 4 of the low nibble's value, the next bit that of the high nibble's.
    private static void pair5(int[] words, int in, int pair, float[] floats, float[] w, int out) {
        for (int h = 0; h < 32; h += L) {
            FloatVector s = FloatVector.fromArray(F, floats, 64 + h), m = FloatVector.fromArray(F, floats, 96 + h);
            FloatVector t = FloatVector.fromArray(F, floats, 128 + h), n = FloatVector.fromArray(F, floats, 160 + h);
            for (int i = 0; i < 8; i++) {
                IntVector v = IntVector.fromArray(I, words, in + 32 * i + h);
                IntVector b = IntVector.fromArray(I, words, HIGH + 32 * i + h).lanewise(LSHR, 2 * pair).and(0x03030303);
                IntVector low = v.and(0x0f0f0f0f).or(b.and(0x01010101).lanewise(LSHL, 4));
                IntVector high = v.lanewise(LSHR, 4).and(0x0f0f0f0f).or(b.and(0x02020202).lanewise(LSHL, 3));
                int o = out + 128 * i + h;
                ((FloatVector) low.and(31).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o);
                ((FloatVector) low.lanewise(LSHR, 8).and(31).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o + 32);
                ((FloatVector) low.lanewise(LSHR, 16).and(31).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o + 64);
                ((FloatVector) low.lanewise(LSHR, 24).convert(I2F, 0)).mul(s).sub(m).intoArray(w, o + 96);
                ((FloatVector) high.and(31).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024);
                ((FloatVector) high.lanewise(LSHR, 8).and(31).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024 + 32);
                ((FloatVector) high.lanewise(LSHR, 16).and(31).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024 + 64);
                ((FloatVector) high.lanewise(LSHR, 24).convert(I2F, 0)).mul(t).sub(n).intoArray(w, o + 1024 + 96);
            }
        }
    }
}
