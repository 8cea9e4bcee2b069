package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.F2I;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.github.kvern.kernels.Ops;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/// What is not a matrix, lane by lane as the scalar class does it. Every method works on whole vectors and returns how many values
/// (or pairs) that were; the rest is the caller's.
public final class FloatOps {
    private static final VectorShuffle<Float> FIRST_OF_PAIR = VectorShuffle.fromOp(F, i -> i & -2);
    private static final VectorShuffle<Float> SECOND_OF_PAIR = VectorShuffle.fromOp(F, i -> i | 1);
    private static final VectorShuffle<Float> LOWER_TWICE = VectorShuffle.fromOp(F, i -> i / 2);
    private static final VectorShuffle<Float> UPPER_TWICE = VectorShuffle.fromOp(F, i -> L / 2 + i / 2);
    private static final VectorMask<Float> ODD = VectorMask.fromLong(F, 0xaaaaL & (1L << L) - 1);

    private FloatOps() {}

    /// `out = x * scale * weight`.
    public static int scaled(float[] x, int at, float scale, float[] weight, float[] out, int outAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L)
            FloatVector.fromArray(F, x, at + i).mul(scale).mul(FloatVector.fromArray(F, weight, i)).intoArray(out, outAt + i);
        return i;
    }

    /// `x *= factor`.
    public static int scale(float[] x, int at, int n, float factor) {
        int i = 0;
        for (; i + L <= n; i += L) FloatVector.fromArray(F, x, at + i).mul(factor).intoArray(x, at + i);
        return i;
    }

    /// `target += x`.
    public static int add(float[] target, int at, float[] x, int xAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L)
            FloatVector.fromArray(F, target, at + i).add(FloatVector.fromArray(F, x, xAt + i)).intoArray(target, at + i);
        return i;
    }

    /// `target += x * factor`, fused.
    public static int addScaled(float[] target, int at, float[] x, int xAt, int n, float factor) {
        int i = 0;
        FloatVector f = FloatVector.broadcast(F, factor);
        for (; i + L <= n; i += L)
            FloatVector.fromArray(F, x, xAt + i).fma(f, FloatVector.fromArray(F, target, at + i)).intoArray(target, at + i);
        return i;
    }

    /// Adjacent pairs: two vectors of values for one of cosines.
    public static int rotatePairs(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        int i = 0;
        for (; i + L <= pairs; i += L) {
            FloatVector c = FloatVector.fromArray(F, cos, tableAt + i), s = FloatVector.fromArray(F, sin, tableAt + i);
            for (int half = 0; half < 2; half++) {
                FloatVector d = half == 0 ? c.rearrange(LOWER_TWICE) : c.rearrange(UPPER_TWICE);
                FloatVector t = half == 0 ? s.rearrange(LOWER_TWICE) : s.rearrange(UPPER_TWICE);
                int o = at + 2 * i + half * L;
                FloatVector v = FloatVector.fromArray(F, x, o);
                FloatVector a = v.rearrange(FIRST_OF_PAIR), b = v.rearrange(SECOND_OF_PAIR);
                FloatVector product = b.mul(t.blend(d, ODD)); // b sin in even lanes, b cos in odd ones
                a.fma(d.blend(t, ODD), product.neg().blend(product, ODD)).intoArray(x, o);
            }
        }
        return i;
    }

    /// Pairs that lie half a head apart.
    public static int rotateHalves(float[] x, int at, int pairs, float[] cos, float[] sin, int tableAt) {
        int i = 0;
        for (; i + L <= pairs; i += L) {
            FloatVector c = FloatVector.fromArray(F, cos, tableAt + i), s = FloatVector.fromArray(F, sin, tableAt + i);
            FloatVector a = FloatVector.fromArray(F, x, at + i), b = FloatVector.fromArray(F, x, at + pairs + i);
            a.fma(c, b.mul(s).neg()).intoArray(x, at + i);
            a.fma(s, b.mul(c)).intoArray(x, at + pairs + i);
        }
        return i;
    }

    /// `gate = silu(gate) * up`.
    public static int swiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector v = FloatVector.fromArray(F, gate, at + i);
            v.div(exp(v.neg()).add(1f)).mul(FloatVector.fromArray(F, up, upAt + i)).intoArray(gate, at + i);
        }
        return i;
    }

    /// `gate = gelu(gate) * up`.
    public static int geGlu(float[] gate, int at, float[] up, int upAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector v = FloatVector.fromArray(F, gate, at + i);
            FloatVector y = v.mul(v).fma(FloatVector.broadcast(F, Ops.GELU_CUBE), FloatVector.broadcast(F, Ops.GELU_LINE)).mul(v);
            v.div(exp(y.neg()).add(1f)).mul(FloatVector.fromArray(F, up, upAt + i)).intoArray(gate, at + i);
        }
        return i;
    }

    /// gpt-oss's form, with bounds.
    public static int clampedSwiGlu(float[] gate, int at, float[] up, int upAt, int n) {
        int i = 0;
        for (; i + L <= n; i += L) {
            FloatVector v = FloatVector.fromArray(F, gate, at + i).min(Ops.CLAMP);
            FloatVector u = FloatVector.fromArray(F, up, upAt + i).max(-Ops.CLAMP).min(Ops.CLAMP);
            v.div(exp(v.mul(-Ops.CLAMPED_SLOPE)).add(1f)).mul(u.add(1f)).intoArray(gate, at + i);
        }
        return i;
    }

    /// e^x, as in Ops.exp. In three parts: HotSpot inlines a hot method of at most 325 bytes of code, and a method that is not inlined
    /// takes and returns its vectors as objects. In one piece this had 255, and more than 325 with the probes that count coverage.
    private static FloatVector exp(FloatVector x) {
        FloatVector z = x.max(-105f).min(89f);
        FloatVector k = z.fma(FloatVector.broadcast(F, 1.44269504f), FloatVector.broadcast(F, 12582912f)).sub(12582912f);
        FloatVector r = k.fma(FloatVector.broadcast(F, -0.693145752f), z);
        return timesPowerOfTwo(expOfSmall(k.fma(FloatVector.broadcast(F, -1.42860677e-6f), r)), k);
    }

    private static FloatVector expOfSmall(FloatVector r) {
        FloatVector p = r.fma(FloatVector.broadcast(F, 1.9875691500e-4f), FloatVector.broadcast(F, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        return p.fma(r, FloatVector.broadcast(F, 1f));
    }

    /// `p * 2^k`, in two factors: 2^k alone may be no normal number.
    private static FloatVector timesPowerOfTwo(FloatVector p, FloatVector k) {
        IntVector e = (IntVector) k.convert(F2I, 0);
        IntVector half = e.lanewise(ASHR, 1);
        return p.mul(half.add(127).lanewise(LSHL, 23).reinterpretAsFloats())
                .mul(e.sub(half).add(127).lanewise(LSHL, 23).reinterpretAsFloats());
    }
}
