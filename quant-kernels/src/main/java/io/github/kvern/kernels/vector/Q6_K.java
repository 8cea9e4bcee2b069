package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.I;
import static io.github.kvern.kernels.vector.Lanes.I8;
import static io.github.kvern.kernels.vector.Lanes.L;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.Lanes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShuffle;

/// 6 bits a value, 16 groups of 16 in a block of 256: `x = (d * s) * (q - 32)`.
///
/// ```
///   byte  0..127                128..191              192..207    208..209
///         64 bytes hold the low 32 bytes hold bits 4  s, signed   d
///         bits of 64 values in  and 5: bits 2g of
///         the low nibbles, of   byte j are those of
///         64 in the high ones   value 32g + j
/// ```
///
/// Products are 16 bits wide and unsigned; `-32 * activation` is added from a table. What comes of four stays below 2^15. With many
/// columns the 32 are taken from the weights.
public final class Q6_K extends RowKernel {
    private static final int BYTES = 210;
    private static final int NIBBLE = 0x000f000f;
    private static final int HIGH = 0x00300030;
    /// With 512 bits both halves of a vector need the same 32 bytes of high bits, the upper half two bits further on.
    private static final VectorShuffle<Integer> TWICE = VectorShuffle.fromOp(I, i -> i & 7);
    private static final IntVector BITS = IntVector.broadcast(I, 0).addIndex(1).lanewise(LSHR, 3).lanewise(LSHL, 1);
    /// Brings the signed byte of a lane's group to the top: four lanes have one scale.
    private static final IntVector SCALES = IntVector.broadcast(I, 24)
            .sub(IntVector.broadcast(I, 0).addIndex(1).lanewise(LSHR, 2).lanewise(LSHL, 3));

    @Override
    public Arrangement arrangement() {
        return Bytes256.NIBBLES_64;
    }

    @Override
    public int most() {
        return COLUMNS;
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out, int outAt,
            float[] lanes) {
        for (int r = 0; r < rows; r++)
            out[outAt + r] = row(source, at + r * rowBytes, k / 256, x.shorts, x.biases, x.scales, column * (k / 256), lanes);
    }

    private static float row(MemorySegment w, long at, int blocks, short[] x, short[] biases, float[] scales, int block, float[] lanes) {
        for (int h = 0; h < 16; h += L) FloatVector.zero(F).intoArray(lanes, h);
        for (int i = 0; i < blocks; i++, at += BYTES, block++) {
            MemorySegment slice = w.asSlice(at, BYTES);
            float d = Float.float16ToFloat(slice.get(LittleEndian.SHORT, 208)) * scales[block];
            for (int h = 0; h < 16; h += L) {
                IntVector t = IntVector.zero(I);
                for (int g = 0; g < 2; g++) {
                    IntVector u;
                    if (L == 16)
                        u = ((IntVector) IntVector.fromMemorySegment(I8, slice, 128 + 32 * g, LE).reinterpretShape(I, 0)).rearrange(TWICE)
                                .lanewise(LSHR, BITS);
                    else
                        u = IntVector.fromMemorySegment(I, slice, 128 + 32 * g + 4 * (h & 7), LE).lanewise(LSHR, h >> 2 & 2);
                    IntVector v = IntVector.fromMemorySegment(I, slice, 64 * g + 4 * h, LE);
                    int q = 256 * block + 32 * g + 2 * h;
                    int b = 128 * block + 64 * g + 2 * h;
                    IntVector p = v.and(NIBBLE).or(u.lanewise(LSHL, 4).and(HIGH)).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, q))
                            .add(v.lanewise(LSHR, 8).and(NIBBLE).or(u.lanewise(LSHR, 4).and(HIGH)).reinterpretAsShorts()
                                    .mul(ShortVector.fromArray(S, x, q + 128)))
                            .add(ShortVector.fromArray(S, biases, b)).reinterpretAsInts();
                    IntVector n = v.lanewise(LSHR, 4).and(NIBBLE).or(u.and(HIGH)).reinterpretAsShorts()
                            .mul(ShortVector.fromArray(S, x, q + 64))
                            .add(v.lanewise(LSHR, 12).and(NIBBLE).or(u.lanewise(LSHR, 8).and(HIGH)).reinterpretAsShorts()
                                    .mul(ShortVector.fromArray(S, x, q + 192)))
                            .add(ShortVector.fromArray(S, biases, b + 32)).reinterpretAsInts();
                    long s = slice.get(LittleEndian.LONG, 192 + 8 * g) >>> 2 * h;
                    t = t.add(p.add(p.lanewise(LSHL, 16)).lanewise(ASHR, 16)
                            .mul(IntVector.broadcast(I, (int) s).lanewise(LSHL, SCALES).lanewise(ASHR, 24)))
                            .add(n.add(n.lanewise(LSHL, 16)).lanewise(ASHR, 16)
                                    .mul(IntVector.broadcast(I, (int) (s >>> 32)).lanewise(LSHL, SCALES).lanewise(ASHR, 24)));
                }
                ((FloatVector) t.convert(I2F, 0)).fma(FloatVector.broadcast(F, d), FloatVector.fromArray(F, lanes, h)).intoArray(lanes, h);
            }
        }
        return sum(lanes);
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, int count, float[] out,
            int outAt, int outStride, float[] lanes) {
        for (int r = 0; r < rows; r++) {
            row(source, at + r * rowBytes, k / 256, x.shorts, x.scales, column * (k / 256), count, lanes);
            for (int c = 0; c < count; c++) out[outAt + c * outStride + r] = sum(lanes, 16 * c);
        }
    }

    private static void row(MemorySegment w, long at, int blocks, short[] x, float[] scales, int block, int columns, float[] lanes) {
        Arrays.fill(lanes, 0, 16 * columns, 0);
        int step = Lanes.ONE[0];
        for (int i = 0; i < blocks; i++, at += BYTES, block++) {
            float d = Float.float16ToFloat(w.get(LittleEndian.SHORT, at + 208));
            for (int h = 0; h < 16; h += L) {
                IntVector u0;
                if (L == 16)
                    u0 = ((IntVector) IntVector.fromMemorySegment(I8, w, at + 128, LE).reinterpretShape(I, 0)).rearrange(TWICE)
                            .lanewise(LSHR, BITS);
                else
                    u0 = IntVector.fromMemorySegment(I, w, at + 128 + 4 * (h & 7), LE).lanewise(LSHR, h >> 2 & 2);
                IntVector v0 = IntVector.fromMemorySegment(I, w, at + 4 * h, LE);
                ShortVector w0 = v0.and(NIBBLE).or(u0.lanewise(LSHL, 4).and(HIGH)).reinterpretAsShorts().sub((short) 32),
                        w1 = v0.lanewise(LSHR, 8).and(NIBBLE).or(u0.lanewise(LSHR, 4).and(HIGH)).reinterpretAsShorts().sub((short) 32),
                        w2 = v0.lanewise(LSHR, 4).and(NIBBLE).or(u0.and(HIGH)).reinterpretAsShorts().sub((short) 32),
                        w3 = v0.lanewise(LSHR, 12).and(NIBBLE).or(u0.lanewise(LSHR, 8).and(HIGH)).reinterpretAsShorts().sub((short) 32);
                long s0 = w.get(LittleEndian.LONG, at + 192) >>> 2 * h;
                IntVector t0 = IntVector.broadcast(I, (int) s0).lanewise(LSHL, SCALES).lanewise(ASHR, 24),
                        t1 = IntVector.broadcast(I, (int) (s0 >>> 32)).lanewise(LSHL, SCALES).lanewise(ASHR, 24);
                IntVector u1;
                if (L == 16)
                    u1 = ((IntVector) IntVector.fromMemorySegment(I8, w, at + 160, LE).reinterpretShape(I, 0)).rearrange(TWICE)
                            .lanewise(LSHR, BITS);
                else
                    u1 = IntVector.fromMemorySegment(I, w, at + 160 + 4 * (h & 7), LE).lanewise(LSHR, h >> 2 & 2);
                IntVector v1 = IntVector.fromMemorySegment(I, w, at + 64 + 4 * h, LE);
                ShortVector w4 = v1.and(NIBBLE).or(u1.lanewise(LSHL, 4).and(HIGH)).reinterpretAsShorts().sub((short) 32),
                        w5 = v1.lanewise(LSHR, 8).and(NIBBLE).or(u1.lanewise(LSHR, 4).and(HIGH)).reinterpretAsShorts().sub((short) 32),
                        w6 = v1.lanewise(LSHR, 4).and(NIBBLE).or(u1.and(HIGH)).reinterpretAsShorts().sub((short) 32),
                        w7 = v1.lanewise(LSHR, 12).and(NIBBLE).or(u1.lanewise(LSHR, 8).and(HIGH)).reinterpretAsShorts().sub((short) 32);
                long s1 = w.get(LittleEndian.LONG, at + 200) >>> 2 * h;
                IntVector t2 = IntVector.broadcast(I, (int) s1).lanewise(LSHL, SCALES).lanewise(ASHR, 24),
                        t3 = IntVector.broadcast(I, (int) (s1 >>> 32)).lanewise(LSHL, SCALES).lanewise(ASHR, 24);
                for (int j = 0, y = block, l = h; j < columns; j += step, y += blocks, l += 16) {
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
                    ((FloatVector) t.convert(I2F, 0)).fma(FloatVector.broadcast(F, d * scales[y]), FloatVector.fromArray(F, lanes, l))
                            .intoArray(lanes, l);
                }
            }
        }
    }

    @Override
    public float plain(MemorySegment w, long at, int k, Operand x, int column, float[] lanes) {
        Arrays.fill(lanes, 0, 16, 0);
        short[] a = x.shorts;
        for (int i = 0, block = column * (k / 256); i < k / 256; i++, at += BYTES, block++) {
            float d = Float.float16ToFloat(w.get(LittleEndian.SHORT, at + 208)) * x.scales[block];
            for (int h = 0; h < 16; h++) {
                int t = 0;
                for (int g = 0; g < 2; g++) {
                    int low = w.get(ValueLayout.JAVA_BYTE, at + 192 + 8 * g + h / 4),
                            high = w.get(ValueLayout.JAVA_BYTE, at + 196 + 8 * g + h / 4);
                    for (int l = 2 * h, e = l + 2; l < e; l++) {
                        int v = w.get(LittleEndian.SHORT, at + 64 * g + 2 * l), q = 256 * block + 32 * g + l;
                        int u = w.get(LittleEndian.SHORT, at + 128 + 32 * g + 2 * (l & 15)) >>> 2 * (l >> 4);
                        t += low * (((v & 15 | (u & 3) << 4) - 32) * a[q] + ((v >>> 8 & 15 | (u >>> 8 & 3) << 4) - 32) * a[q + 128])
                                + high * (((v >>> 4 & 15 | u & 48) - 32) * a[q + 64] + ((v >>> 12 & 15 | u >>> 8 & 48) - 32) * a[q + 192]);
                    }
                }
                lanes[h] = Math.fma((float) t, d, lanes[h]);
            }
        }
        return sum(lanes);
    }
}
