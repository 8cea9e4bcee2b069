package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F8;
import static io.github.kvern.kernels.vector.Lanes.I8;
import static io.github.kvern.kernels.vector.Lanes.LE;
import static io.github.kvern.kernels.vector.Lanes.M;

import io.github.kvern.kernels.scalar.LittleEndian;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Turns rows into lanes: words of 32 bits that lie along a row come to lie under each other, 32 rows side by side. Weights are
/// turned as stored, before they are decoded: a word holds up to eight.
///
/// Blocks of 8 x 8 words (4 x 4 with 128 bits) stay in registers: at each of three stages, neighbours at a distance of 1, 2 and 4
/// rows exchange the words in which their numbers differ.
final class Turn {
    private static final VectorSpecies<Integer> I4 = IntVector.SPECIES_128;
    private static final VectorSpecies<Float> F4 = FloatVector.SPECIES_128;
    private static final VectorShuffle<Integer> SWAP_1 = VectorShuffle.fromOp(I8, i -> i ^ 1);
    private static final VectorShuffle<Integer> SWAP_2 = VectorShuffle.fromOp(I8, i -> i ^ 2);
    private static final VectorShuffle<Integer> SWAP_4 = VectorShuffle.fromOp(I8, i -> (i ^ 4) & M - 1);
    private static final VectorMask<Integer> ODD_1 = VectorMask.fromLong(I8, 0xaa);
    private static final VectorMask<Integer> ODD_2 = VectorMask.fromLong(I8, 0xcc);
    private static final VectorMask<Integer> ODD_4 = VectorMask.fromLong(I8, 0xf0);
    private static final VectorShuffle<Integer> SWAP4_1 = VectorShuffle.fromOp(I4, i -> i ^ 1);
    private static final VectorShuffle<Integer> SWAP4_2 = VectorShuffle.fromOp(I4, i -> i ^ 2);
    private static final VectorMask<Integer> ODD4_1 = VectorMask.fromLong(I4, 0xa);
    private static final VectorMask<Integer> ODD4_2 = VectorMask.fromLong(I4, 0xc);

    private Turn() {}

    /// `out[outAt + 32 * word + row]` for 32 rows of `count` words, from byte `at` of the first row on. Rows behind the last of
    /// `rows` are like the last.
    static void words(MemorySegment s, long at, long rowBytes, int rows, int count, int[] out, int outAt) {
        int step = M == 8 ? 8 : 4;
        for (int r = 0; r < 32; r += step) {
            long row = at + Math.min(r, rows - 1) * rowBytes;
            int last = Math.max(0, rows - 1 - r);
            int i = 0;
            if (M == 8) for (; i + 8 <= count; i += 8) turn8(s, row + 4L * i, rowBytes, last, out, outAt + 32 * i + r);
            else for (; i + 4 <= count; i += 4) turn4(s, row + 4L * i, rowBytes, last, out, outAt + 32 * i + r);
        }
        int done = count & -step;
        if (done < count) rest(s, at + 4L * done, rowBytes, rows, count - done, out, outAt + 32 * done);
    }

    private static void rest(MemorySegment s, long at, long rowBytes, int rows, int count, int[] out, int outAt) {
        int done = 0;
        if (count >= 4) {
            for (int r = 0; r < 32; r += 4)
                turn4(s, at + Math.min(r, rows - 1) * rowBytes, rowBytes, Math.max(0, rows - 1 - r), out, outAt + r);
            done = 4;
        }
        for (int r = 0; r < 32; r++)
            for (int i = done; i < count; i++)
                out[outAt + 32 * i + r] = s.get(LittleEndian.INT, at + Math.min(r, rows - 1) * rowBytes + 4L * i);
    }

    /// `out[outAt + 32 * i + r] = in[r * stride + i]` for `rows` rows, a multiple of 8, of `count` floats. What lies behind a row up
    /// to a multiple of 8 floats is turned along.
    static void floats(float[] in, int stride, int rows, int count, float[] out, int outAt) {
        for (int r = 0; r < rows; r += M)
            for (int i = 0; i < count; i += M) {
                if (M == 8) turn8(in, r * stride + i, stride, out, outAt + 32 * i + r);
                else turn4(in, r * stride + i, stride, out, outAt + 32 * i + r);
            }
    }

    /// 8 words of 8 rows, the ones behind `last` like that.
    private static void turn8(MemorySegment s, long at, long rowBytes, int last, int[] out, int outAt) {
        Mapped.mark(s, at);
        IntVector v0 = IntVector.fromMemorySegment(I8, s, at, LE),
                v1 = IntVector.fromMemorySegment(I8, s, at + Math.min(1, last) * rowBytes, LE),
                v2 = IntVector.fromMemorySegment(I8, s, at + Math.min(2, last) * rowBytes, LE),
                v3 = IntVector.fromMemorySegment(I8, s, at + Math.min(3, last) * rowBytes, LE),
                v4 = IntVector.fromMemorySegment(I8, s, at + Math.min(4, last) * rowBytes, LE),
                v5 = IntVector.fromMemorySegment(I8, s, at + Math.min(5, last) * rowBytes, LE),
                v6 = IntVector.fromMemorySegment(I8, s, at + Math.min(6, last) * rowBytes, LE),
                v7 = IntVector.fromMemorySegment(I8, s, at + Math.min(7, last) * rowBytes, LE), t;
        t = v0.rearrange(SWAP_1);
        v0 = v0.blend(v1.rearrange(SWAP_1), ODD_1);
        v1 = t.blend(v1, ODD_1);
        t = v2.rearrange(SWAP_1);
        v2 = v2.blend(v3.rearrange(SWAP_1), ODD_1);
        v3 = t.blend(v3, ODD_1);
        t = v4.rearrange(SWAP_1);
        v4 = v4.blend(v5.rearrange(SWAP_1), ODD_1);
        v5 = t.blend(v5, ODD_1);
        t = v6.rearrange(SWAP_1);
        v6 = v6.blend(v7.rearrange(SWAP_1), ODD_1);
        v7 = t.blend(v7, ODD_1);
        t = v0.rearrange(SWAP_2);
        v0 = v0.blend(v2.rearrange(SWAP_2), ODD_2);
        v2 = t.blend(v2, ODD_2);
        t = v1.rearrange(SWAP_2);
        v1 = v1.blend(v3.rearrange(SWAP_2), ODD_2);
        v3 = t.blend(v3, ODD_2);
        t = v4.rearrange(SWAP_2);
        v4 = v4.blend(v6.rearrange(SWAP_2), ODD_2);
        v6 = t.blend(v6, ODD_2);
        t = v5.rearrange(SWAP_2);
        v5 = v5.blend(v7.rearrange(SWAP_2), ODD_2);
        v7 = t.blend(v7, ODD_2);
        t = v0.rearrange(SWAP_4);
        v0 = v0.blend(v4.rearrange(SWAP_4), ODD_4);
        v4 = t.blend(v4, ODD_4);
        t = v1.rearrange(SWAP_4);
        v1 = v1.blend(v5.rearrange(SWAP_4), ODD_4);
        v5 = t.blend(v5, ODD_4);
        t = v2.rearrange(SWAP_4);
        v2 = v2.blend(v6.rearrange(SWAP_4), ODD_4);
        v6 = t.blend(v6, ODD_4);
        t = v3.rearrange(SWAP_4);
        v3 = v3.blend(v7.rearrange(SWAP_4), ODD_4);
        v7 = t.blend(v7, ODD_4);
        v0.intoArray(out, outAt);
        v1.intoArray(out, outAt + 32);
        v2.intoArray(out, outAt + 64);
        v3.intoArray(out, outAt + 96);
        v4.intoArray(out, outAt + 128);
        v5.intoArray(out, outAt + 160);
        v6.intoArray(out, outAt + 192);
        v7.intoArray(out, outAt + 224);
    }

    /// 4 words of 4 rows, the ones behind `last` like that.
    private static void turn4(MemorySegment s, long at, long rowBytes, int last, int[] out, int outAt) {
        Mapped.mark(s, at);
        IntVector v0 = IntVector.fromMemorySegment(I4, s, at, LE),
                v1 = IntVector.fromMemorySegment(I4, s, at + Math.min(1, last) * rowBytes, LE),
                v2 = IntVector.fromMemorySegment(I4, s, at + Math.min(2, last) * rowBytes, LE),
                v3 = IntVector.fromMemorySegment(I4, s, at + Math.min(3, last) * rowBytes, LE), t;
        t = v0.rearrange(SWAP4_1);
        v0 = v0.blend(v1.rearrange(SWAP4_1), ODD4_1);
        v1 = t.blend(v1, ODD4_1);
        t = v2.rearrange(SWAP4_1);
        v2 = v2.blend(v3.rearrange(SWAP4_1), ODD4_1);
        v3 = t.blend(v3, ODD4_1);
        t = v0.rearrange(SWAP4_2);
        v0 = v0.blend(v2.rearrange(SWAP4_2), ODD4_2);
        v2 = t.blend(v2, ODD4_2);
        t = v1.rearrange(SWAP4_2);
        v1 = v1.blend(v3.rearrange(SWAP4_2), ODD4_2);
        v3 = t.blend(v3, ODD4_2);
        v0.intoArray(out, outAt);
        v1.intoArray(out, outAt + 32);
        v2.intoArray(out, outAt + 64);
        v3.intoArray(out, outAt + 96);
    }

    /// 8 words of 8 rows of an array.
    private static void turn8(float[] in, int at, int stride, float[] out, int outAt) {
        IntVector v0 = FloatVector.fromArray(F8, in, at).reinterpretAsInts(),
                v1 = FloatVector.fromArray(F8, in, at + stride).reinterpretAsInts(),
                v2 = FloatVector.fromArray(F8, in, at + 2 * stride).reinterpretAsInts(),
                v3 = FloatVector.fromArray(F8, in, at + 3 * stride).reinterpretAsInts(),
                v4 = FloatVector.fromArray(F8, in, at + 4 * stride).reinterpretAsInts(),
                v5 = FloatVector.fromArray(F8, in, at + 5 * stride).reinterpretAsInts(),
                v6 = FloatVector.fromArray(F8, in, at + 6 * stride).reinterpretAsInts(),
                v7 = FloatVector.fromArray(F8, in, at + 7 * stride).reinterpretAsInts(), t;
        t = v0.rearrange(SWAP_1);
        v0 = v0.blend(v1.rearrange(SWAP_1), ODD_1);
        v1 = t.blend(v1, ODD_1);
        t = v2.rearrange(SWAP_1);
        v2 = v2.blend(v3.rearrange(SWAP_1), ODD_1);
        v3 = t.blend(v3, ODD_1);
        t = v4.rearrange(SWAP_1);
        v4 = v4.blend(v5.rearrange(SWAP_1), ODD_1);
        v5 = t.blend(v5, ODD_1);
        t = v6.rearrange(SWAP_1);
        v6 = v6.blend(v7.rearrange(SWAP_1), ODD_1);
        v7 = t.blend(v7, ODD_1);
        t = v0.rearrange(SWAP_2);
        v0 = v0.blend(v2.rearrange(SWAP_2), ODD_2);
        v2 = t.blend(v2, ODD_2);
        t = v1.rearrange(SWAP_2);
        v1 = v1.blend(v3.rearrange(SWAP_2), ODD_2);
        v3 = t.blend(v3, ODD_2);
        t = v4.rearrange(SWAP_2);
        v4 = v4.blend(v6.rearrange(SWAP_2), ODD_2);
        v6 = t.blend(v6, ODD_2);
        t = v5.rearrange(SWAP_2);
        v5 = v5.blend(v7.rearrange(SWAP_2), ODD_2);
        v7 = t.blend(v7, ODD_2);
        t = v0.rearrange(SWAP_4);
        v0 = v0.blend(v4.rearrange(SWAP_4), ODD_4);
        v4 = t.blend(v4, ODD_4);
        t = v1.rearrange(SWAP_4);
        v1 = v1.blend(v5.rearrange(SWAP_4), ODD_4);
        v5 = t.blend(v5, ODD_4);
        t = v2.rearrange(SWAP_4);
        v2 = v2.blend(v6.rearrange(SWAP_4), ODD_4);
        v6 = t.blend(v6, ODD_4);
        t = v3.rearrange(SWAP_4);
        v3 = v3.blend(v7.rearrange(SWAP_4), ODD_4);
        v7 = t.blend(v7, ODD_4);
        v0.reinterpretAsFloats().intoArray(out, outAt);
        v1.reinterpretAsFloats().intoArray(out, outAt + 32);
        v2.reinterpretAsFloats().intoArray(out, outAt + 64);
        v3.reinterpretAsFloats().intoArray(out, outAt + 96);
        v4.reinterpretAsFloats().intoArray(out, outAt + 128);
        v5.reinterpretAsFloats().intoArray(out, outAt + 160);
        v6.reinterpretAsFloats().intoArray(out, outAt + 192);
        v7.reinterpretAsFloats().intoArray(out, outAt + 224);
    }

    /// 4 words of 4 rows of an array.
    private static void turn4(float[] in, int at, int stride, float[] out, int outAt) {
        IntVector v0 = FloatVector.fromArray(F4, in, at).reinterpretAsInts(),
                v1 = FloatVector.fromArray(F4, in, at + stride).reinterpretAsInts(),
                v2 = FloatVector.fromArray(F4, in, at + 2 * stride).reinterpretAsInts(),
                v3 = FloatVector.fromArray(F4, in, at + 3 * stride).reinterpretAsInts(), t;
        t = v0.rearrange(SWAP4_1);
        v0 = v0.blend(v1.rearrange(SWAP4_1), ODD4_1);
        v1 = t.blend(v1, ODD4_1);
        t = v2.rearrange(SWAP4_1);
        v2 = v2.blend(v3.rearrange(SWAP4_1), ODD4_1);
        v3 = t.blend(v3, ODD4_1);
        t = v0.rearrange(SWAP4_2);
        v0 = v0.blend(v2.rearrange(SWAP4_2), ODD4_2);
        v2 = t.blend(v2, ODD4_2);
        t = v1.rearrange(SWAP4_2);
        v1 = v1.blend(v3.rearrange(SWAP4_2), ODD4_2);
        v3 = t.blend(v3, ODD4_2);
        v0.reinterpretAsFloats().intoArray(out, outAt);
        v1.reinterpretAsFloats().intoArray(out, outAt + 32);
        v2.reinterpretAsFloats().intoArray(out, outAt + 64);
        v3.reinterpretAsFloats().intoArray(out, outAt + 96);
    }
}
