package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.LE;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// 4 bits a value, blocks of 32: `x = d * (q - 8)`.
///
/// ```
///   byte  0..1  2..17
///         d     values 0..15 in the low nibbles, 16..31 in the high nibbles
/// ```
///
/// A block's nibbles are 128 bits, so all widths work with 128: a lane takes four products and `-8 * activation` from a table,
/// which fit in 16 bits. Four blocks are under way at once, with 4 virtual lanes each.
public final class Q4_0 extends RowKernel {
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_128;
    private static final VectorSpecies<Short> S = ShortVector.SPECIES_128;
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_128;
    private static final int BYTES = 18;
    private static final int NIBBLE = 0x000f000f;

    @Override
    public Arrangement arrangement() {
        return Bytes32.NIBBLES;
    }

    @Override
    public void rows(MemorySegment source, long at, long rowBytes, int rows, int k, Operand x, int column, float[] out, int outAt,
            float[] lanes) {
        for (int r = 0; r < rows; r++)
            out[outAt + r] = row(source, at + r * rowBytes, k / 32, x.shorts, x.biases, x.scales, column * (k / 32), lanes);
    }

    private static float row(MemorySegment w, long at, int blocks, short[] x, short[] biases, float[] scales, int block, float[] lanes) {
        FloatVector a = FloatVector.zero(F), b = a, c = a, d = a;
        for (int i = 0; i < blocks; i++, at += BYTES, block++) {
            IntVector v = IntVector.fromMemorySegment(I, w, at + 2, LE);
            IntVector p = v.and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, 32 * block))
                    .add(v.lanewise(LSHR, 4).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, 32 * block + 8)))
                    .add(v.lanewise(LSHR, 8).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, 32 * block + 16)))
                    .add(v.lanewise(LSHR, 12).and(NIBBLE).reinterpretAsShorts().mul(ShortVector.fromArray(S, x, 32 * block + 24)))
                    .add(ShortVector.fromArray(S, biases, 8 * block)).reinterpretAsInts();
            float scale = Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * scales[block];
            FloatVector t = ((FloatVector) p.lanewise(LSHL, 16).lanewise(ASHR, 16).add(p.lanewise(ASHR, 16)).convert(I2F, 0))
                    .fma(FloatVector.broadcast(F, scale), a);
            a = b; // the four sums take turns
            b = c;
            c = d;
            d = t;
        }
        a.intoArray(lanes, 0);
        b.intoArray(lanes, 4);
        c.intoArray(lanes, 8);
        d.intoArray(lanes, 12);
        return sum(lanes);
    }

    @Override
    public float plain(MemorySegment w, long at, int k, Operand x, int column, float[] lanes) {
        Arrays.fill(lanes, 0, 16, 0);
        int blocks = k / 32;
        for (int i = 0, block = column * blocks; i < blocks; i++, at += BYTES, block++) {
            float scale = Float.float16ToFloat(w.get(LittleEndian.SHORT, at)) * x.scales[block];
            for (int h = 0; h < 4; h++) {
                int t = 0;
                for (int l = 2 * h; l < 2 * h + 2; l++) {
                    int v = w.get(LittleEndian.SHORT, at + 2 + 2 * l), q = 32 * block + l;
                    t += ((v & 15) - 8) * x.shorts[q] + ((v >>> 4 & 15) - 8) * x.shorts[q + 8] + ((v >>> 8 & 15) - 8) * x.shorts[q + 16]
                            + ((v >>> 12 & 15) - 8) * x.shorts[q + 24];
                }
                int lane = (i - blocks & 3) * 4 + h; // the sum that is first after the last turn
                lanes[lane] = Math.fma((float) t, scale, lanes[lane]);
            }
        }
        return sum(lanes);
    }
}
