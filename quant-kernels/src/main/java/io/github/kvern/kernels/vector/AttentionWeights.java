package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.AttentionOps.BLOCK;
import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;

import io.github.kvern.kernels.Ops;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/// The streaming softmax of one block: the same steps as the scalar class, lane by lane.
final class AttentionWeights {
    // lane r gets lane r + 8, 4, 2, 1: halves onto halves
    private static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(F, 8 % L, 1, true);
    private static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(F, 4 % L, 1, true);
    private static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(F, 2, 1, true);
    private static final VectorShuffle<Float> BY_1 = VectorShuffle.iota(F, 1, 1, true);
    private static final float MAGIC = 12582912f; // 1.5 * 2^23: adding it rounds to a whole number, which lies in the low bits
    private static final int MAGIC_BITS = 0x4b400000;

    private AttentionWeights() {}

    static void weigh(float[] scores, int at, int from, int to, float[] state, int stateAt) {
        // what is not visible becomes e^-infinity = 0
        for (int j = 0; j < from; j++) scores[at + j] = Float.NEGATIVE_INFINITY;
        for (int j = to; j < BLOCK; j++) scores[at + j] = Float.NEGATIVE_INFINITY;
        float before = state[stateAt];
        FloatVector m = FloatVector.fromArray(F, scores, at);
        for (int j = L; j < BLOCK; j += L) m = m.max(FloatVector.fromArray(F, scores, at + j));
        float max = Math.max(before, m.reduceLanes(VectorOperators.MAX));
        float factor = Ops.exp(before - max);
        for (int j = 0; j < BLOCK; j += L) {
            FloatVector z = FloatVector.fromArray(F, scores, at + j).sub(max).max(-105f); // never above 0: no upper bound
            FloatVector t = z.fma(FloatVector.broadcast(F, 1.44269504f), FloatVector.broadcast(F, MAGIC));
            FloatVector k = t.sub(MAGIC);
            FloatVector r = k.fma(FloatVector.broadcast(F, -0.693145752f), z);
            r = k.fma(FloatVector.broadcast(F, -1.42860677e-6f), r);
            FloatVector p = FloatVector.broadcast(F, 1.9875691500e-4f);
            p = p.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
            p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
            p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
            p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
            p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
            p = p.fma(r, FloatVector.broadcast(F, 1f));
            p = p.fma(r, FloatVector.broadcast(F, 1f));
            IntVector e = t.reinterpretAsInts().sub(MAGIC_BITS);
            IntVector half = e.lanewise(VectorOperators.ASHR, 1);
            FloatVector a = half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
            FloatVector b = e.sub(half).add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
            p.mul(a).mul(b).intoArray(scores, at + j);
        }
        state[stateAt] = max;
        state[stateAt + 1] = Math.fma(state[stateAt + 1], factor, sum(scores, at));
        state[stateAt + 2] = factor;
    }

    private static float sum(float[] w, int at) {
        FloatVector s;
        if (L == 16) {
            s = FloatVector.fromArray(F, w, at).add(FloatVector.fromArray(F, w, at + 16)).add(FloatVector.fromArray(F, w, at + 32))
                    .add(FloatVector.fromArray(F, w, at + 48));
            s = s.add(s.rearrange(BY_8));
            s = s.add(s.rearrange(BY_4));
        } else if (L == 8) {
            s = FloatVector.fromArray(F, w, at).add(FloatVector.fromArray(F, w, at + 16)).add(FloatVector.fromArray(F, w, at + 32))
                    .add(FloatVector.fromArray(F, w, at + 48));
            FloatVector t = FloatVector.fromArray(F, w, at + 8).add(FloatVector.fromArray(F, w, at + 24))
                    .add(FloatVector.fromArray(F, w, at + 40))
                    .add(FloatVector.fromArray(F, w, at + 56));
            s = s.add(t);
            s = s.add(s.rearrange(BY_4));
        } else {
            FloatVector t, u, v;
            s = FloatVector.fromArray(F, w, at).add(FloatVector.fromArray(F, w, at + 16)).add(FloatVector.fromArray(F, w, at + 32))
                    .add(FloatVector.fromArray(F, w, at + 48));
            t = FloatVector.fromArray(F, w, at + 4).add(FloatVector.fromArray(F, w, at + 20)).add(FloatVector.fromArray(F, w, at + 36))
                    .add(FloatVector.fromArray(F, w, at + 52));
            u = FloatVector.fromArray(F, w, at + 8).add(FloatVector.fromArray(F, w, at + 24)).add(FloatVector.fromArray(F, w, at + 40))
                    .add(FloatVector.fromArray(F, w, at + 56));
            v = FloatVector.fromArray(F, w, at + 12).add(FloatVector.fromArray(F, w, at + 28)).add(FloatVector.fromArray(F, w, at + 44))
                    .add(FloatVector.fromArray(F, w, at + 60));
            s = s.add(u).add(t.add(v));
        }
        s = s.add(s.rearrange(BY_2));
        s = s.add(s.rearrange(BY_1));
        return s.lane(0);
    }
}
