package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F8;
import static io.github.kvern.kernels.vector.Lanes.I8;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.Lanes.M;
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

/// 8 bits a value, blocks of 32: `x = d * q`.
///
/// ```
///   byte  0..1  2..33
///         d     q, signed
/// ```
///
/// The two bytes of a 16-bit lane are brought to its full width where they lie, the even one by way of the top; the sum of the two
/// products, 2 * 127 * 128, fits. Two blocks are under way at once, with 8 virtual lanes each.
public final class Q8_0 extends RowKernel {
    private static final int BYTES = 34;

    @Override
    public Arrangement arrangement() {
        return Bytes32.BYTES;
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out, int outAt,
            float[] lanes) {
        for (int r = 0; r < rows; r++)
            out[outAt + r] = row(source, at + r * rowBytes, k / 32, x.shorts, x.scales, column * (k / 32), lanes);
    }

    private static float row(MemorySegment w, long start, int blocks, short[] x, float[] scales, int firstBlock, float[] lanes) {
        for (int h = 0; h < 8; h += M) {
            FloatVector even = FloatVector.zero(F8), odd = even;
            long at = start;
            int block = firstBlock, i = 0;
            for (; i + 2 <= blocks; i += 2, at += 2 * BYTES, block += 2) {
                int q = 32 * block + 2 * h;
                IntVector u = IntVector.fromMemorySegment(I8, w, at + 2 + 4 * h, LE),
                        v = IntVector.fromMemorySegment(I8, w, at + BYTES + 2 + 4 * h, LE);
                IntVector p = u.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q))
                        .add(u.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q + 16))).reinterpretAsInts();
                IntVector n = v.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q + 32))
                        .add(v.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q + 48))).reinterpretAsInts();
                even = ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0))
                        .fma(FloatVector.broadcast(F8, Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * scales[block]), even);
                odd = ((FloatVector) n.lanewise(LSHL, 16).lanewise(ASHR, 16).add(n.lanewise(ASHR, 16)).convert(I2F, 0)).fma(
                        FloatVector.broadcast(F8, Float.float16ToFloat(w.get(LittleEndian.SHORT, at + BYTES)) * scales[block + 1]), odd);
            }
            if (i < blocks) {
                int q = 32 * block + 2 * h;
                IntVector u = IntVector.fromMemorySegment(I8, w, at + 2 + 4 * h, LE);
                IntVector p = u.lanewise(LSHL, 8).reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q))
                        .add(u.reinterpretAsShorts().lanewise(ASHR, 8).mul(ShortVector.fromArray(S8, x, q + 16))).reinterpretAsInts();
                even = ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0))
                        .fma(FloatVector.broadcast(F8, Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * scales[block]), even);
            }
            even.intoArray(lanes, h);
            odd.intoArray(lanes, 8 + h);
        }
        return sum(lanes);
    }

    @Override
    public float plain(MemorySegment w, long at, int k, Operand x, int column, float[] lanes) {
        Arrays.fill(lanes, 0, 16, 0);
        for (int i = 0, block = column * (k / 32); i < k / 32; i++, at += BYTES, block++) {
            float scale = Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * x.scales[block];
            for (int h = 0; h < 8; h++) {
                int q = 32 * block + 2 * h, v = w.get(LittleEndian.INT, at + 2 + 4 * h);
                int t = (byte) v * x.shorts[q] + (byte) (v >> 8) * x.shorts[q + 16] + (byte) (v >> 16) * x.shorts[q + 1]
                        + (v >> 24) * x.shorts[q + 17];
                int lane = i % 2 * 8 + h;
                lanes[lane] = Math.fma((float) t, scale, lanes[lane]);
            }
        }
        return sum(lanes);
    }
}
