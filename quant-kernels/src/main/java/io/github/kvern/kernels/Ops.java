package io.github.kvern.kernels;

/// What is not a matrix: norms, rope, gates, sums. One defined order of additions each, the same for any vector width; this
/// scalar class is the specification, the vector kernels override it with the same bits.
public class Ops {
    /// 2 sqrt(2 / pi), and 0.044715 times that.
    public static final float GELU_LINE = 1.5957691216f, GELU_CUBE = 0.0713548163f;
    /// gpt-oss's bound of gate and up, and its factor in the exponent.
    public static final float CLAMP = 7, CLAMPED_SLOPE = 1.702f;

    Ops() {
    }

    /// `out = x / sqrt(mean(x^2) + eps) * weight`; the mean is summed in double, four interleaved sums added pairwise.
    public void rmsNorm(float[] x, int at, float[] weight, float[] out, int outAt, int n, float eps) {
        float scale = rmsScale(x, at, n, eps);
        for (int i = 0; i < n; i++) out[outAt + i] = x[at + i] * scale * weight[i];
    }

    /// The same without weights, in place.
    public void rmsNorm(float[] x, int at, int n, float eps) {
        scale(x, at, n, rmsScale(x, at, n, eps));
    }

    static float rmsScale(float[] x, int at, int n, float eps) {
        double a = 0, b = 0, c = 0, d = 0;
        int i = 0;
        for (; i + 3 < n; i += 4) {
            a = Math.fma((double) x[at + i], x[at + i], a);
            b = Math.fma((double) x[at + i + 1], x[at + i + 1], b);
            c = Math.fma((double) x[at + i + 2], x[at + i + 2], c);
            d = Math.fma((double) x[at + i + 3], x[at + i + 3], d);
        }
        for (; i < n; i++) a = Math.fma((double) x[at + i], x[at + i], a);
        return (float) (1 / Math.sqrt((a + b + (c + d)) / n + eps));
    }

    /// `x *= factor`.
    public void scale(float[] x, int at, int n, float factor) {
        for (int i = 0; i < n; i++) x[at + i] *= factor;
    }

    /// `target += x`.
    public void add(float[] target, int at, float[] x, int xAt, int n) {
        for (int i = 0; i < n; i++) target[at + i] += x[xAt + i];
    }

    /// `target += x * factor`, fused.
    public void addScaled(float[] target, int at, float[] x, int xAt, int n, float factor) {
        for (int i = 0; i < n; i++) target[at + i] = Math.fma(x[xAt + i], factor, target[at + i]);
    }

    /// Rotates `pairs` adjacent pairs: `(a, b) -> (a cos - b sin, a sin + b cos)` with a = x[2i], b = x[2i+1]; the tables hold one
    /// cosine and one sine per pair from `tableAt` on.
    public void rotatePairs(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        for (int i = 0; i < pairs; i++) {
            float a = x[at + 2 * i], b = x[at + 2 * i + 1], c = cos[tableAt + i], s = sin[tableAt + i];
            x[at + 2 * i] = Math.fma(a, c, -(b * s));
            x[at + 2 * i + 1] = Math.fma(a, s, b * c);
        }
    }

    /// Rotates pairs that lie half a head apart: `a = x[i]`, `b = x[i + pairs]`.
    public void rotateHalves(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        for (int i = 0; i < pairs; i++) {
            float a = x[at + i], b = x[at + pairs + i], c = cos[tableAt + i], s = sin[tableAt + i];
            x[at + i] = Math.fma(a, c, -(b * s));
            x[at + pairs + i] = Math.fma(a, s, b * c);
        }
    }

    /// `gate = silu(gate) * up`, with `silu(z) = z / (1 + e^-z)`.
    public void swiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        for (int i = 0; i < n; i++) {
            float z = gate[at + i];
            gate[at + i] = z / (1 + exp(-z)) * up[upAt + i];
        }
    }

    /// Makes one vector of two, in the place of `gate`.
    public final void gated(GatedUnit unit, float[] gate, int at, float[] up, int upAt, int n) {
        switch (unit) {
            case SWI_GLU -> swiGlu(gate, at, up, upAt, n);
            case GE_GLU -> geGlu(gate, at, up, upAt, n);
            case CLAMPED_SWI_GLU -> clampedSwiGlu(gate, at, up, upAt, n);
        }
    }

    /// [GatedUnit#GE_GLU].
    void geGlu(float[] gate, int at, float[] up, int upAt, int n) {
        for (int i = 0; i < n; i++) {
            float z = gate[at + i];
            float y = z * Math.fma(z * z, GELU_CUBE, GELU_LINE);
            gate[at + i] = z / (1 + exp(-y)) * up[upAt + i];
        }
    }

    /// [GatedUnit#CLAMPED_SWI_GLU].
    void clampedSwiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        for (int i = 0; i < n; i++) {
            float z = Math.min(gate[at + i], CLAMP), u = Math.min(Math.max(up[upAt + i], -CLAMP), CLAMP);
            gate[at + i] = z / (1 + exp(z * -CLAMPED_SLOPE)) * (u + 1);
        }
    }

    /// `1 / (1 + e^-z)`.
    public static float sigmoid(float z) {
        return 1 / (1 + exp(-z));
    }

    /// Turns `n` scores into their softmax, in place.
    public static void softmax(float[] x, int at, int n) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) max = Math.max(max, x[at + i]);
        float sum = 0;
        for (int i = 0; i < n; i++) {
            x[at + i] = exp(x[at + i] - max);
            sum += x[at + i];
        }
        for (int i = 0; i < n; i++) x[at + i] /= sum;
    }

    /// e^x, correct to about two units in the last place for every x (0 below -104, infinity above 88.72): the same bits in the
    /// interpreter and in every compiler, and lane by lane in the vector kernels. Cody-Waite reduction by ln 2 in two parts, then a
    /// polynomial of degree 7 on [-ln 2 / 2, ln 2 / 2].
    public static float exp(float x) {
        float z = Math.min(Math.max(x, -105f), 89f);
        float k = Math.fma(z, 1.44269504f, 12582912f) - 12582912f;
        float r = Math.fma(k, -0.693145752f, z);
        r = Math.fma(k, -1.42860677e-6f, r);
        float p = 1.9875691500e-4f;
        p = Math.fma(p, r, 1.3981999507e-3f);
        p = Math.fma(p, r, 8.3334519073e-3f);
        p = Math.fma(p, r, 4.1665795894e-2f);
        p = Math.fma(p, r, 1.6666665459e-1f);
        p = Math.fma(p, r, 5.0000001201e-1f);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        int e = (int) k;
        int half = e >> 1; // two factors, so that results below the normal range come out right
        return p * Float.intBitsToFloat(half + 127 << 23) * Float.intBitsToFloat(e - half + 127 << 23);
    }
}
