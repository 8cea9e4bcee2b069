package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;

import jdk.incubator.vector.FloatVector;

/// One block of 32 k of types whose products do not fit 16 bits, two vectors of rows times 1, 2 or 4 columns: whole numbers as floats
/// (all sums stay below 2^24, so they are exact), then `acc += (d * a) * sum`.
///
/// ```
///   w    float[k][32]
///   x    float[k][C]
///   acc  float[column][32]
/// ```
final class PackedFloats {
    private PackedFloats() {}

    static void by4(float[] w, int wAt, float[] x, int xAt, int step, float[] d, int dAt, float[] scales, int scaleAt, float[] acc,
            int at) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = FloatVector.zero(F), e1 = a1, a2 = FloatVector.zero(F), e2 = a2,
                a3 = FloatVector.zero(F), e3 = a3;
        for (int k = 0; k < 32; k++) {
            FloatVector w0 = FloatVector.fromArray(F, w, wAt + k * 32), w1 = FloatVector.fromArray(F, w, wAt + k * 32 + L), v;
            v = FloatVector.broadcast(F, x[xAt + k * step]);
            a0 = w0.fma(v, a0);
            e0 = w1.fma(v, e0);
            v = FloatVector.broadcast(F, x[xAt + k * step + 1]);
            a1 = w0.fma(v, a1);
            e1 = w1.fma(v, e1);
            v = FloatVector.broadcast(F, x[xAt + k * step + 2]);
            a2 = w0.fma(v, a2);
            e2 = w1.fma(v, e2);
            v = FloatVector.broadcast(F, x[xAt + k * step + 3]);
            a3 = w0.fma(v, a3);
            e3 = w1.fma(v, e3);
        }
        FloatVector d0 = FloatVector.fromArray(F, d, dAt), d1 = FloatVector.fromArray(F, d, dAt + L);
        d0.mul(scales[scaleAt]).fma(a0, FloatVector.fromArray(F, acc, at)).intoArray(acc, at);
        d1.mul(scales[scaleAt]).fma(e0, FloatVector.fromArray(F, acc, at + L)).intoArray(acc, at + L);
        d0.mul(scales[scaleAt + 1]).fma(a1, FloatVector.fromArray(F, acc, at + 32)).intoArray(acc, at + 32);
        d1.mul(scales[scaleAt + 1]).fma(e1, FloatVector.fromArray(F, acc, at + 32 + L)).intoArray(acc, at + 32 + L);
        d0.mul(scales[scaleAt + 2]).fma(a2, FloatVector.fromArray(F, acc, at + 64)).intoArray(acc, at + 64);
        d1.mul(scales[scaleAt + 2]).fma(e2, FloatVector.fromArray(F, acc, at + 64 + L)).intoArray(acc, at + 64 + L);
        d0.mul(scales[scaleAt + 3]).fma(a3, FloatVector.fromArray(F, acc, at + 96)).intoArray(acc, at + 96);
        d1.mul(scales[scaleAt + 3]).fma(e3, FloatVector.fromArray(F, acc, at + 96 + L)).intoArray(acc, at + 96 + L);
    }

    static void by2(float[] w, int wAt, float[] x, int xAt, float[] d, int dAt, float[] scales, int scaleAt, float[] acc, int at) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = FloatVector.zero(F), e1 = a1;
        for (int k = 0; k < 32; k++) {
            FloatVector w0 = FloatVector.fromArray(F, w, wAt + k * 32), w1 = FloatVector.fromArray(F, w, wAt + k * 32 + L), v;
            v = FloatVector.broadcast(F, x[xAt + k * 2]);
            a0 = w0.fma(v, a0);
            e0 = w1.fma(v, e0);
            v = FloatVector.broadcast(F, x[xAt + k * 2 + 1]);
            a1 = w0.fma(v, a1);
            e1 = w1.fma(v, e1);
        }
        FloatVector d0 = FloatVector.fromArray(F, d, dAt), d1 = FloatVector.fromArray(F, d, dAt + L);
        d0.mul(scales[scaleAt]).fma(a0, FloatVector.fromArray(F, acc, at)).intoArray(acc, at);
        d1.mul(scales[scaleAt]).fma(e0, FloatVector.fromArray(F, acc, at + L)).intoArray(acc, at + L);
        d0.mul(scales[scaleAt + 1]).fma(a1, FloatVector.fromArray(F, acc, at + 32)).intoArray(acc, at + 32);
        d1.mul(scales[scaleAt + 1]).fma(e1, FloatVector.fromArray(F, acc, at + 32 + L)).intoArray(acc, at + 32 + L);
    }

    static void by1(float[] w, int wAt, float[] x, int xAt, float[] d, int dAt, float[] scales, int scaleAt, float[] acc, int at) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0;
        for (int k = 0; k < 32; k++) {
            FloatVector w0 = FloatVector.fromArray(F, w, wAt + k * 32), w1 = FloatVector.fromArray(F, w, wAt + k * 32 + L), v;
            v = FloatVector.broadcast(F, x[xAt + k]);
            a0 = w0.fma(v, a0);
            e0 = w1.fma(v, e0);
        }
        FloatVector d0 = FloatVector.fromArray(F, d, dAt), d1 = FloatVector.fromArray(F, d, dAt + L);
        d0.mul(scales[scaleAt]).fma(a0, FloatVector.fromArray(F, acc, at)).intoArray(acc, at);
        d1.mul(scales[scaleAt]).fma(e0, FloatVector.fromArray(F, acc, at + L)).intoArray(acc, at + L);
    }
}
