package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.F8;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.I8;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.Lanes.M;
import static io.github.kvern.kernels.vector.Lanes.S;
import static io.github.kvern.kernels.vector.Lanes.S8;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;

/// 8 bits a value, blocks of 32: `x = d * q`.
///
/// ```
///   byte  0..1  2..33
///         d     q, signed
/// ```
///
/// The two bytes of a 16-bit lane are brought to its full width where they lie, the even one by way of the top; the sum of the two
/// products, 2 * 127 * 128, fits. Two blocks lie side by side, with 8 virtual lanes each: with 512 bits in one vector, loaded twice, 2
/// bytes apart, for the scale between them.
public final class Q8_0 extends RowKernel {
    private static final int BYTES = 34;
    /// Columns from which they are taken together: for fewer a loop over columns inside the row costs more than unpacking again.
    private static final int FUSED_FROM = 4;
    /// With 512 bits the lanes of the second of two blocks.
    private static final VectorMask<Integer> UPPER = VectorMask.fromLong(I, 0xff00);
    private static final VectorMask<Float> UPPER_F = VectorMask.fromLong(F, 0xff00);

    @Override
    public Arrangement arrangement() {
        return Bytes32.BYTES;
    }

    @Override
    public int most() {
        return COLUMNS;
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out, int outAt,
            float[] lanes) {
        for (int r = 0; r < rows; r++)
            out[outAt + r] = row(source, at + r * rowBytes, k / 32, x.shorts, x.scales, column * (k / 32), lanes);
    }

    private static float row(MemorySegment w, long start, int blocks, short[] x, float[] scales, int first, float[] lanes) {
        for (int h = 0; h < 16; h += L) {
            FloatVector sum = FloatVector.zero(F);
            long at = start;
            int block = first, last = first + blocks;
            for (; block + 4 <= last; block += 4, at += 4 * BYTES) {
                MemorySegment slice = w.asSlice(at, 4 * BYTES);
                int q = 32 * block + 2 * h;
                IntVector u = pair(slice, 0, h), v = pair(slice, 2 * BYTES, h);
                IntVector p = u.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S, x, q))
                        .add(u.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S, x, q + 32))).reinterpretAsInts();
                IntVector n = v.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S, x, q + 64))
                        .add(v.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S, x, q + 96))).reinterpretAsInts();
                FloatVector d = FloatVector.broadcast(F,
                        Float.float16ToFloat(slice.get(LittleEndian.SHORT, (h >> 3) * BYTES)) * scales[block + (h >> 3)]);
                FloatVector e = FloatVector.broadcast(F,
                        Float.float16ToFloat(slice.get(LittleEndian.SHORT, 2 * BYTES + (h >> 3) * BYTES)) * scales[block + 2 + (h >> 3)]);
                if (L == 16) {
                    d = d.blend(FloatVector.broadcast(F, Float.float16ToFloat(slice.get(LittleEndian.SHORT, BYTES)) * scales[block + 1]),
                            UPPER_F);
                    e = e.blend(
                            FloatVector.broadcast(F, Float.float16ToFloat(slice.get(LittleEndian.SHORT, 3 * BYTES)) * scales[block + 3]),
                            UPPER_F);
                }
                sum = ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0)).fma(d, sum);
                sum = ((FloatVector) n.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n.lanewise(ASHR, 16)).convert(I2F, 0)).fma(e, sum);
            }
            sum.intoArray(lanes, h);
        }
        rest(w, start, blocks, x, scales, first, lanes, 0);
        return sum(lanes);
    }

    /// The blocks behind the last four.
    private static void rest(MemorySegment w, long start, int blocks, short[] x, float[] scales, int first, float[] lanes, int l) {
        int i = blocks & -4;
        long at = start + (long) i * BYTES;
        if (i + 2 <= blocks) {
            for (int h = 0; h < 16; h += L) {
                IntVector v = pair(w, at, h);
                int block = first + i, q = 32 * block + 2 * h;
                IntVector p = v.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S, x, q))
                        .add(v.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S, x, q + 32))).reinterpretAsInts();
                FloatVector d = FloatVector.broadcast(F,
                        Float.float16ToFloat(w.get(LittleEndian.SHORT, at + (h >> 3) * BYTES)) * scales[block + (h >> 3)]);
                if (L == 16)
                    d = d.blend(FloatVector.broadcast(F, Float.float16ToFloat(w.get(LittleEndian.SHORT, at + BYTES)) * scales[block + 1]),
                            UPPER_F);
                ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0))
                        .fma(d, FloatVector.fromArray(F, lanes, l + h)).intoArray(lanes, l + h);
            }
            i += 2;
            at += 2 * BYTES;
        }
        if (i < blocks) last(w, at, x, scales, first + i, lanes, l);
    }

    private static IntVector pair(MemorySegment w, long at, int h) {
        if (L < 16) return IntVector.fromMemorySegment(I, w, at + 2 + 4 * (h & 7) + (h >> 3) * BYTES, LE);
        return IntVector.fromMemorySegment(I, w, at + 2, LE).blend(IntVector.fromMemorySegment(I, w, at + BYTES + 2 - 32, LE), UPPER);
    }

    /// A last block that has no other beside it.
    private static void last(MemorySegment w, long at, short[] x, float[] scales, int block, float[] lanes, int l) {
        float d = Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * scales[block];
        for (int h = 0; h < 8; h += M) {
            int q = 32 * block + 2 * h;
            IntVector u = IntVector.fromMemorySegment(I8, w, at + 2 + 4 * h, LE);
            IntVector p = u.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q))
                    .add(u.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q + 16))).reinterpretAsInts();
            ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0))
                    .fma(FloatVector.broadcast(F8, d), FloatVector.fromArray(F8, lanes, l + h)).intoArray(lanes, l + h);
        }
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, int count, float[] out,
            int outAt, int outStride, float[] lanes) {
        if (count < FUSED_FROM) {
            super.rows(source, at, rowBytes, rows, k, x, column, count, out, outAt, outStride, lanes);
            return;
        }
        int blocks = k / 32;
        for (int r = 0; r < rows; r++) {
            row(source, at + r * rowBytes, blocks, x.shorts, x.scales, column * blocks, count, lanes);
            for (int c = 0; c < count; c++) out[outAt + c * outStride + r] = sum(lanes, 16 * c);
        }
    }

    private static void row(MemorySegment w, long start, int blocks, short[] x, float[] scales, int first, int columns, float[] lanes) {
        Arrays.fill(lanes, 0, 16 * columns, 0);
        int step = Lanes.ONE[0];
        long at = start;
        for (int i = 0; i + 4 <= blocks; i += 4, at += 4 * BYTES) {
            for (int h = 0; h < 16; h += L) {
                MemorySegment slice = w.asSlice(at, 4 * BYTES);
                IntVector u = pair(slice, 0, h), v = pair(slice, 2 * BYTES, h);
                ShortVector w0 = u.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8),
                        w1 = u.reinterpretAsShorts().lanewise(ASHR, 8);
                ShortVector w2 = v.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8),
                        w3 = v.reinterpretAsShorts().lanewise(ASHR, 8);
                FloatVector d = FloatVector.broadcast(F, Float.float16ToFloat(w.get(LittleEndian.SHORT, at + (h >> 3) * BYTES)));
                FloatVector e = FloatVector.broadcast(F,
                        Float.float16ToFloat(w.get(LittleEndian.SHORT, at + 2 * BYTES + (h >> 3) * BYTES)));
                if (L == 16) {
                    d = d.blend(FloatVector.broadcast(F, Float.float16ToFloat(w.get(LittleEndian.SHORT, at + BYTES))), UPPER_F);
                    e = e.blend(FloatVector.broadcast(F, Float.float16ToFloat(w.get(LittleEndian.SHORT, at + 3 * BYTES))), UPPER_F);
                }
                for (int j = 0, block = first + i, l = h; j < columns; j += step, block += blocks, l += 16) {
                    int q = 32 * block + 2 * h;
                    IntVector p = w0.mul(ShortVector.fromArray(S, x, q)).add(w1.mul(ShortVector.fromArray(S, x, q + 32)))
                            .reinterpretAsInts();
                    IntVector n = w2.mul(ShortVector.fromArray(S, x, q + 64)).add(w3.mul(ShortVector.fromArray(S, x, q + 96)))
                            .reinterpretAsInts();
                    FloatVector f = FloatVector.broadcast(F, scales[block + (h >> 3)]),
                            g = FloatVector.broadcast(F, scales[block + 2 + (h >> 3)]);
                    if (L == 16) {
                        f = f.blend(FloatVector.broadcast(F, scales[block + 1]), UPPER_F);
                        g = g.blend(FloatVector.broadcast(F, scales[block + 3]), UPPER_F);
                    }
                    FloatVector t = ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0))
                            .fma(d.mul(f), FloatVector.fromArray(F, lanes, l));
                    ((FloatVector) n.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n.lanewise(ASHR, 16)).convert(I2F, 0)).fma(e.mul(g), t)
                            .intoArray(lanes, l);
                }
            }
        }
        for (int j = 0; j < columns; j++) rest(w, start, blocks, x, scales, first + j * blocks, lanes, 16 * j);
    }

    @Override
    public float plain(MemorySegment w, long at, int k, Operand x, int column, float[] lanes) {
        Arrays.fill(lanes, 0, 16, 0);
        for (int i = 0, block = column * (k / 32); i < k / 32; i++, at += BYTES, block++) {
            float scale = Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * x.scales[block];
            boolean paired = (i | 1) < k / 32;
            int start = 32 * block - (paired ? i % 2 * 16 : 0), odd = paired ? 32 : 16;
            for (int h = 0; h < 8; h++) {
                int q = start + 2 * h, v = w.get(LittleEndian.INT, at + 2 + 4 * h);
                int t = (byte) v * x.shorts[q] + (byte) (v >> 8) * x.shorts[q + odd] + (byte) (v >> 16) * x.shorts[q + 1]
                        + (v >> 24) * x.shorts[q + odd + 1];
                int lane = i % 2 * 8 + h;
                lanes[lane] = Math.fma((float) t, scale, lanes[lane]);
            }
        }
        return sum(lanes);
    }
}
