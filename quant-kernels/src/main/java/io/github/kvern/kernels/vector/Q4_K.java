package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.F8;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.I8;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.L8;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.Lanes.M;
import static io.github.kvern.kernels.vector.Lanes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;

/// 4 bits a value, 8 groups of 32 in a block of 256: `x = (d * s) * q - (dmin * m)`.
///
/// ```
///   byte  0..1  2..3  4..15           16..143
///         d     dmin  6-bit s and m   32 bytes hold a group in the low nibbles and the next one in the high nibbles
/// ```
///
/// Products are 16 bits wide: a lane is multiplied where its nibbles lie. The sums of a lane's two halves (15 * 127 * 4 < 2^15) are added
/// in the upper one, and shifted down. The minimums cost one integer product per group, with the sum of its activations.
public final class Q4_K extends RowKernel {
    private static final int BYTES = 144;
    private static final int NIBBLE = 0x000f000f;
    /// 64 bytes are two pairs of groups: with 512 bits a vector has one pair in each half, and the scales' bytes are two apart.
    private static final IntVector HALVES = IntVector.broadcast(I, 0).addIndex(1).lanewise(LSHR, 3).lanewise(LSHL, 4);
    /// Where the eight minimums' bytes are in the two ints of a long that is repeated over a vector.
    private static final IntVector MINIMUMS = IntVector.broadcast(I8, 0).addIndex(1).lanewise(LSHR, 1).lanewise(LSHL, 3);

    @Override
    public Arrangement arrangement() {
        return Bytes256.NIBBLES_32;
    }

    @Override
    public int most() {
        return COLUMNS;
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out, int outAt,
            float[] lanes) {
        for (int r = 0; r < rows; r++)
            out[outAt + r] = row(source, at + r * rowBytes, k / 256, x.shorts, x.sums, x.scales, column * (k / 256), lanes);
    }

    private static float row(MemorySegment w, long at, int blocks, short[] x, int[] sums, float[] scales, int block, float[] lanes) {
        for (int h = 0; h < 16; h += L) FloatVector.zero(F).intoArray(lanes, h);
        for (int h = 0; h < 8; h += M) FloatVector.zero(F8).intoArray(lanes, 16 + h);
        for (int i = 0; i < blocks; i++, at += BYTES, block++) {
            MemorySegment slice = w.asSlice(at, BYTES);
            long head = slice.get(LittleEndian.LONG, 0), tail = slice.get(LittleEndian.LONG, 8);
            long a = head >>> 32, b = tail & 0xffffffffL, c = tail >>> 32;
            long s = a & 0x3f3f3f3fL | (c & 0x0f0f0f0fL | a >>> 2 & 0x30303030L) << 32;
            long m = b & 0x3f3f3f3fL | (c >>> 4 & 0x0f0f0f0fL | b >>> 2 & 0x30303030L) << 32;
            float d = Float.float16ToFloat((short) head) * scales[block];
            float dmin = Float.float16ToFloat((short) (head >>> 16)) * scales[block];
            for (int h = 0; h < 8; h += M) {
                IntVector v = LongVector.broadcast(L8, m >>> 4 * h).reinterpretAsInts().lanewise(LSHR, MINIMUMS).and(63);
                ((FloatVector) v.mul(IntVector.fromArray(I8, sums, 8 * block + h)).convert(I2F, 0))
                        .fma(FloatVector.broadcast(F8, dmin), FloatVector.fromArray(F8, lanes, 16 + h)).intoArray(lanes, 16 + h);
            }
            for (int h = 0; h < 16; h += L) {
                int q = 256 * block + 2 * h;
                IntVector v0 = IntVector.fromMemorySegment(I, slice, 16 + 4 * h, LE);
                IntVector p0 = v0.and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q))
                        .add(v0.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 128)))
                        .reinterpretAsInts();
                IntVector n0 = v0.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 64))
                        .add(v0.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 192)))
                        .reinterpretAsInts();
                IntVector s0 = IntVector.broadcast(I, (int) (s >>> (h >> 3 << 4)));
                if (L == 16) s0 = s0.lanewise(LSHR, HALVES);
                IntVector v1 = IntVector.fromMemorySegment(I, slice, 80 + 4 * h, LE);
                IntVector p1 = v1.and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 32))
                        .add(v1.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 160)))
                        .reinterpretAsInts();
                IntVector n1 = v1.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 96))
                        .add(v1.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q + 224)))
                        .reinterpretAsInts();
                IntVector s1 = IntVector.broadcast(I, (int) (s >>> 32 + (h >> 3 << 4)));
                if (L == 16) s1 = s1.lanewise(LSHR, HALVES);
                IntVector t = p0.add(p0.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(s0.and(255))
                        .add(n0.add(n0.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(s0.lanewise(LSHR, 8).and(255)))
                        .add(p1.add(p1.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(s1.and(255)))
                        .add(n1.add(n1.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(s1.lanewise(LSHR, 8).and(255)));
                ((FloatVector) t.convert(I2F, 0)).fma(FloatVector.broadcast(F, d), FloatVector.fromArray(F, lanes, h)).intoArray(lanes, h);
            }
        }
        return sum(lanes) - sum8(lanes);
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, int count, float[] out,
            int outAt, int outStride, float[] lanes) {
        for (int r = 0; r < rows; r++) {
            row(source, at + r * rowBytes, k / 256, x.shorts, x.sums, x.scales, column * (k / 256), count, lanes);
            for (int c = 0; c < count; c++) out[outAt + c * outStride + r] = sum(lanes, 24 * c) - sum8(lanes, 24 * c + 16);
        }
    }

    private static void row(MemorySegment w, long at, int blocks, short[] x, int[] sums, float[] scales, int block, int columns,
            float[] lanes) {
        Arrays.fill(lanes, 0, 24 * columns, 0);
        int step = Lanes.ONE[0];
        for (int i = 0; i < blocks; i++, at += BYTES, block++) {
            long head = w.get(LittleEndian.LONG, at), tail = w.get(LittleEndian.LONG, at + 8);
            long a = head >>> 32, b = tail & 0xffffffffL, c = tail >>> 32;
            long s = a & 0x3f3f3f3fL | (c & 0x0f0f0f0fL | a >>> 2 & 0x30303030L) << 32;
            long m = b & 0x3f3f3f3fL | (c >>> 4 & 0x0f0f0f0fL | b >>> 2 & 0x30303030L) << 32;
            float d = Float.float16ToFloat((short) head), dmin = Float.float16ToFloat((short) (head >>> 16));
            for (int h = 0; h < 16; h += L) {
                IntVector v0 = IntVector.fromMemorySegment(I, w, at + 16 + 4 * h, LE);
                IntVector v1 = IntVector.fromMemorySegment(I, w, at + 80 + 4 * h, LE);
                ShortVector w0 = v0.and(NIBBLE).reinterpretAsShorts(), w1 = v0.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts(),
                        w2 = v0.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts(),
                        w3 = v0.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts(), w4 = v1.and(NIBBLE).reinterpretAsShorts(),
                        w5 = v1.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts(),
                        w6 = v1.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts(),
                        w7 = v1.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts();
                IntVector s0 = IntVector.broadcast(I, (int) (s >>> (h >> 3 << 4)));
                if (L == 16) s0 = s0.lanewise(LSHR, HALVES);
                IntVector s1 = IntVector.broadcast(I, (int) (s >>> 32 + (h >> 3 << 4)));
                if (L == 16) s1 = s1.lanewise(LSHR, HALVES);
                IntVector t0 = s0.and(255), t1 = s0.lanewise(LSHR, 8).and(255), t2 = s1.and(255), t3 = s1.lanewise(LSHR, 8).and(255);
                IntVector minimums = LongVector.broadcast(L8, m >>> 4 * (h & 7)).reinterpretAsInts().lanewise(LSHR, MINIMUMS).and(63);
                for (int j = 0, y = block, l = h; j < columns; j += step, y += blocks, l += 24) {
                    int q = 256 * y + 2 * h;
                    IntVector p0 = w0.mul(ShortVector.fromArray(S, x, q)).add(w1.mul(ShortVector.fromArray(S, x, q + 128)))
                            .reinterpretAsInts();
                    IntVector n0 = w2.mul(ShortVector.fromArray(S, x, q + 64)).add(w3.mul(ShortVector.fromArray(S, x, q + 192)))
                            .reinterpretAsInts();
                    IntVector p1 = w4.mul(ShortVector.fromArray(S, x, q + 32)).add(w5.mul(ShortVector.fromArray(S, x, q + 160)))
                            .reinterpretAsInts();
                    IntVector n1 = w6.mul(ShortVector.fromArray(S, x, q + 96)).add(w7.mul(ShortVector.fromArray(S, x, q + 224)))
                            .reinterpretAsInts();
                    IntVector t = p0.add(p0.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(t0)
                            .add(n0.add(n0.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(t1))
                            .add(p1.add(p1.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(t2))
                            .add(n1.add(n1.lanewise(LSHL, 16)).lanewise(ASHR, 16).mul(t3));
                    float scale = scales[y];
                    ((FloatVector) t.convert(I2F, 0)).fma(FloatVector.broadcast(F, d * scale), FloatVector.fromArray(F, lanes, l))
                            .intoArray(lanes, l);
                    if (h < 8)
                        ((FloatVector) minimums.mul(IntVector.fromArray(I8, sums, 8 * y + h)).convert(I2F, 0))
                                .fma(FloatVector.broadcast(F8, dmin * scale), FloatVector.fromArray(F8, lanes, 16 + l))
                                .intoArray(lanes, 16 + l);
                }
            }
        }
    }

    @Override
    public float plain(MemorySegment w, long at, int k, Operand x, int column, float[] lanes) {
        Arrays.fill(lanes, 0, 24, 0);
        short[] a = x.shorts;
        for (int i = 0, block = column * (k / 256); i < k / 256; i++, at += BYTES, block++) {
            float d = Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * x.scales[block];
            float dmin = Float.float16ToFloat(w.get(LittleEndian.SHORT, at + 2)) * x.scales[block];
            for (int h = 0; h < 8; h++) {
                int product = scale(w, at + 8, at + 12, h / 2 + h % 2 * 4, 4) * x.sums[8 * block + h];
                lanes[16 + h] = Math.fma((float) product, dmin, lanes[16 + h]);
            }
            for (int h = 0; h < 16; h++) {
                int t = 0;
                for (int g = 0; g < 2; g++) {
                    int low = scale(w, at + 4, at + 12, 4 * g + h / 8 * 2, 0), high = scale(w, at + 4, at + 12, 4 * g + h / 8 * 2 + 1, 0);
                    for (int l = 32 * g + 2 * h, e = l + 2; l < e; l++) {
                        int v = w.get(LittleEndian.SHORT, at + 16 + 2 * l), q = 256 * block + l;
                        t += low * ((v & 15) * a[q] + (v >>> 8 & 15) * a[q + 128])
                                + high * ((v >>> 4 & 15) * a[q + 64] + (v >>> 12 & 15) * a[q + 192]);
                    }
                }
                lanes[h] = Math.fma((float) t, d, lanes[h]);
            }
        }
        return sum(lanes) - sum8(lanes);
    }
}
