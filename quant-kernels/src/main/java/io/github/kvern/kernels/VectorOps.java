package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.FloatOps;

/// What is not a matrix, with vectors: the scalar class's bits. What does not fill a vector is left to it.
final class VectorOps extends Ops {
    VectorOps() {}

    @Override
    public void rmsNorm(float[] x, int at, float[] weight, float[] out, int outAt, int n, float eps) {
        float scale = rmsScale(x, at, n, eps);
        for (int i = FloatOps.scaled(x, at, scale, weight, out, outAt, n); i < n; i++) out[outAt + i] = x[at + i] * scale * weight[i];
    }

    @Override
    public void scale(float[] x, int at, int n, float factor) {
        int done = FloatOps.scale(x, at, n, factor);
        super.scale(x, at + done, n - done, factor);
    }

    @Override
    public void add(float[] target, int at, float[] x, int xAt, int n) {
        int done = FloatOps.add(target, at, x, xAt, n);
        super.add(target, at + done, x, xAt + done, n - done);
    }

    @Override
    public void addScaled(float[] target, int at, float[] x, int xAt, int n, float factor) {
        int done = FloatOps.addScaled(target, at, x, xAt, n, factor);
        super.addScaled(target, at + done, x, xAt + done, n - done, factor);
    }

    @Override
    public void rotatePairs(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        int done = FloatOps.rotatePairs(x, at, pairs, cos, sin, tableAt);
        super.rotatePairs(x, at + 2 * done, pairs - done, cos, sin, tableAt + done);
    }

    @Override
    public void rotateHalves(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        for (int i = FloatOps.rotateHalves(x, at, pairs, cos, sin, tableAt); i < pairs; i++) {
            float a = x[at + i], b = x[at + pairs + i], c = cos[tableAt + i], s = sin[tableAt + i];
            x[at + i] = Math.fma(a, c, -(b * s));
            x[at + pairs + i] = Math.fma(a, s, b * c);
        }
    }

    @Override
    public void swiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        int done = FloatOps.swiGlu(gate, at, up, upAt, n);
        super.swiGlu(gate, at + done, up, upAt + done, n - done);
    }
}
