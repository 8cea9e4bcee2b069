package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.FloatOps;
import java.util.List;

/// What is not a matrix, with vectors: the scalar class's bits. What does not fill a vector is left to it.
final class VectorOps extends Ops {
    private final Warmth norms = new Warmth(), sums = new Warmth(), rotations = new Warmth(), gates = new Warmth(),
            otherGates = new Warmth();
    /// A scalar sister, while this is cold.
    private final Ops plain = new Ops();

    VectorOps() {}

    @Override
    public void rmsNorm(float[] x, int at, float[] weight, float[] out, int outAt, int n, float eps) {
        if (norms.isCold()) {
            plain.rmsNorm(x, at, weight, out, outAt, n, eps);
            return;
        }
        float scale = rmsScale(x, at, n, eps);
        for (int i = FloatOps.scaled(x, at, scale, weight, out, outAt, n); i < n; i++) out[outAt + i] = x[at + i] * scale * weight[i];
    }

    @Override
    public void scale(float[] x, int at, int n, float factor) {
        if (sums.isCold()) {
            plain.scale(x, at, n, factor);
            return;
        }
        int done = FloatOps.scale(x, at, n, factor);
        super.scale(x, at + done, n - done, factor);
    }

    @Override
    public void add(float[] target, int at, float[] x, int xAt, int n) {
        if (sums.isCold()) {
            plain.add(target, at, x, xAt, n);
            return;
        }
        int done = FloatOps.add(target, at, x, xAt, n);
        super.add(target, at + done, x, xAt + done, n - done);
    }

    @Override
    public void addScaled(float[] target, int at, float[] x, int xAt, int n, float factor) {
        if (sums.isCold()) {
            plain.addScaled(target, at, x, xAt, n, factor);
            return;
        }
        int done = FloatOps.addScaled(target, at, x, xAt, n, factor);
        super.addScaled(target, at + done, x, xAt + done, n - done, factor);
    }

    @Override
    public void rotatePairs(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        if (rotations.isCold()) {
            plain.rotatePairs(x, at, pairs, cos, sin, tableAt);
            return;
        }
        int done = FloatOps.rotatePairs(x, at, pairs, cos, sin, tableAt);
        super.rotatePairs(x, at + 2 * done, pairs - done, cos, sin, tableAt + done);
    }

    @Override
    public void rotateHalves(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        if (rotations.isCold()) {
            plain.rotateHalves(x, at, pairs, cos, sin, tableAt);
            return;
        }
        for (int i = FloatOps.rotateHalves(x, at, pairs, cos, sin, tableAt); i < pairs; i++) {
            float a = x[at + i], b = x[at + pairs + i], c = cos[tableAt + i], s = sin[tableAt + i];
            x[at + i] = Math.fma(a, c, -(b * s));
            x[at + pairs + i] = Math.fma(a, s, b * c);
        }
    }

    @Override
    public void swiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        if (gates.isCold()) {
            plain.swiGlu(gate, at, up, upAt, n);
            return;
        }
        int done = FloatOps.swiGlu(gate, at, up, upAt, n);
        super.swiGlu(gate, at + done, up, upAt + done, n - done);
    }

    @Override
    void geGlu(float[] gate, int at, float[] up, int upAt, int n) {
        if (otherGates.isCold()) {
            plain.geGlu(gate, at, up, upAt, n);
            return;
        }
        int done = FloatOps.geGlu(gate, at, up, upAt, n);
        super.geGlu(gate, at + done, up, upAt + done, n - done);
    }

    @Override
    void clampedSwiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        if (otherGates.isCold()) {
            plain.clampedSwiGlu(gate, at, up, upAt, n);
            return;
        }
        int done = FloatOps.clampedSwiGlu(gate, at, up, upAt, n);
        super.clampedSwiGlu(gate, at + done, up, upAt + done, n - done);
    }

    /// What there is to compile.
    List<Exercise> exercises() {
        int n = 256;
        float[] x = new float[n], y = new float[n], z = new float[n];
        for (int i = 0; i < n; i++) x[i] = y[i] = (i % 13 - 6) / 8f;
        return List.of(new Exercise("norms", norms, () -> FloatOps.scaled(x, 0, 1.5f, y, z, 0, n)), new Exercise("sums", sums, () -> {
            System.arraycopy(x, 0, z, 0, n);
            return (long) FloatOps.scale(z, 0, n, 2) + FloatOps.add(z, 0, x, 0, n) + FloatOps.addScaled(z, 0, x, 0, n, 0.5f);
        }), new Exercise("rotations", rotations, () -> {
            System.arraycopy(x, 0, z, 0, n);
            return 2L * (FloatOps.rotatePairs(z, 0, n / 2, x, y, 0) + FloatOps.rotateHalves(z, 0, n / 2, x, y, 0));
        }), new Exercise("gates", gates, () -> {
            System.arraycopy(x, 0, z, 0, n);
            return 8L * FloatOps.swiGlu(z, 0, y, 0, n);
        }), new Exercise("other gates", otherGates, () -> {
            System.arraycopy(x, 0, z, 0, n);
            return 8L * (FloatOps.geGlu(z, 0, y, 0, n) + FloatOps.clampedSwiGlu(z, 0, y, 0, n));
        }));
    }
}
