package io.github.kvern.kernels.vector;

import static io.github.kvern.kernels.AttentionOps.BLOCK;
import static io.github.kvern.kernels.AttentionOps.PACK;
import static io.github.kvern.kernels.vector.Lanes.F;
import static io.github.kvern.kernels.vector.Lanes.L;

import jdk.incubator.vector.FloatVector;

/// Scores of packed queries against a block of keys: tiles of some queries and two vectors of positions, all sums in registers.
///
/// ```text
///   keys    float[i][64]          a lane is a position
///   packed  float[i][8]           eight queries side by side
///   scores  float[query][64]
/// ```
///
/// One accumulator for a score, fused, ascending i: the same bits for every width and for plain Java.
final class AttentionScores {
    private AttentionScores() {}

    /// Queries `first` to `last` and whatever else is in their packs.
    static void scores(float[] keys, float[] packed, int size, int first, int last, float scale, float[] scores) {
        for (int j = 0; j < BLOCK; j += 2 * L) // outside, so that this part of the block stays in the first-level cache
            for (int c = first / PACK * PACK; c < last; c += PACK)
                pack(keys, j, packed, c * size, size, last - c, scale, scores, c * BLOCK + j);
    }

    private static void pack(float[] keys, int keysAt, float[] packed, int at, int size, int count, float scale, float[] scores, int to) {
        if (count == 1) {
            by1(keys, keysAt, packed, at, size, scale, scores, to);
        } else if (count == 2) {
            by2(keys, keysAt, packed, at, size, scale, scores, to);
        } else if (count > 4 && Lanes.COLUMNS == 8) {
            by8(keys, keysAt, packed, at, size, scale, scores, to);
        } else {
            by4(keys, keysAt, packed, at, size, scale, scores, to);
            if (count > 4) by4(keys, keysAt, packed, at + 4, size, scale, scores, to + 4 * BLOCK);
        }
    }

    private static void by8(float[] keys, int keysAt, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = FloatVector.zero(F), e1 = a1,
                a2 = a0, e2 = a0, a3 = a0, e3 = a0,
                a4 = a0, e4 = a0, a5 = a0, e5 = a0,
                a6 = a0, e6 = a0, a7 = a0, e7 = a0;
        for (int i = 0; i < size; i++) {
            FloatVector k0 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK),
                    k1 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK + L), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
            q = FloatVector.broadcast(F, packed[x + 1]);
            a1 = k0.fma(q, a1);
            e1 = k1.fma(q, e1);
            q = FloatVector.broadcast(F, packed[x + 2]);
            a2 = k0.fma(q, a2);
            e2 = k1.fma(q, e2);
            q = FloatVector.broadcast(F, packed[x + 3]);
            a3 = k0.fma(q, a3);
            e3 = k1.fma(q, e3);
            q = FloatVector.broadcast(F, packed[x + 4]);
            a4 = k0.fma(q, a4);
            e4 = k1.fma(q, e4);
            q = FloatVector.broadcast(F, packed[x + 5]);
            a5 = k0.fma(q, a5);
            e5 = k1.fma(q, e5);
            q = FloatVector.broadcast(F, packed[x + 6]);
            a6 = k0.fma(q, a6);
            e6 = k1.fma(q, e6);
            q = FloatVector.broadcast(F, packed[x + 7]);
            a7 = k0.fma(q, a7);
            e7 = k1.fma(q, e7);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + L);
        a1.mul(scale).intoArray(scores, to + BLOCK);
        e1.mul(scale).intoArray(scores, to + BLOCK + L);
        a2.mul(scale).intoArray(scores, to + 2 * BLOCK);
        e2.mul(scale).intoArray(scores, to + 2 * BLOCK + L);
        a3.mul(scale).intoArray(scores, to + 3 * BLOCK);
        e3.mul(scale).intoArray(scores, to + 3 * BLOCK + L);
        a4.mul(scale).intoArray(scores, to + 4 * BLOCK);
        e4.mul(scale).intoArray(scores, to + 4 * BLOCK + L);
        a5.mul(scale).intoArray(scores, to + 5 * BLOCK);
        e5.mul(scale).intoArray(scores, to + 5 * BLOCK + L);
        a6.mul(scale).intoArray(scores, to + 6 * BLOCK);
        e6.mul(scale).intoArray(scores, to + 6 * BLOCK + L);
        a7.mul(scale).intoArray(scores, to + 7 * BLOCK);
        e7.mul(scale).intoArray(scores, to + 7 * BLOCK + L);
    }

    private static void by4(float[] keys, int keysAt, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = FloatVector.zero(F), e1 = a1,
                a2 = a0, e2 = a0, a3 = a0, e3 = a0;
        for (int i = 0; i < size; i++) {
            FloatVector k0 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK),
                    k1 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK + L), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
            q = FloatVector.broadcast(F, packed[x + 1]);
            a1 = k0.fma(q, a1);
            e1 = k1.fma(q, e1);
            q = FloatVector.broadcast(F, packed[x + 2]);
            a2 = k0.fma(q, a2);
            e2 = k1.fma(q, e2);
            q = FloatVector.broadcast(F, packed[x + 3]);
            a3 = k0.fma(q, a3);
            e3 = k1.fma(q, e3);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + L);
        a1.mul(scale).intoArray(scores, to + BLOCK);
        e1.mul(scale).intoArray(scores, to + BLOCK + L);
        a2.mul(scale).intoArray(scores, to + 2 * BLOCK);
        e2.mul(scale).intoArray(scores, to + 2 * BLOCK + L);
        a3.mul(scale).intoArray(scores, to + 3 * BLOCK);
        e3.mul(scale).intoArray(scores, to + 3 * BLOCK + L);
    }

    private static void by2(float[] keys, int keysAt, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0, a1 = FloatVector.zero(F), e1 = a1;
        for (int i = 0; i < size; i++) {
            FloatVector k0 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK),
                    k1 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK + L), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
            q = FloatVector.broadcast(F, packed[x + 1]);
            a1 = k0.fma(q, a1);
            e1 = k1.fma(q, e1);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + L);
        a1.mul(scale).intoArray(scores, to + BLOCK);
        e1.mul(scale).intoArray(scores, to + BLOCK + L);
    }

    private static void by1(float[] keys, int keysAt, float[] packed, int at, int size, float scale, float[] scores, int to) {
        FloatVector a0 = FloatVector.zero(F), e0 = a0;
        for (int i = 0; i < size; i++) {
            FloatVector k0 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK),
                    k1 = FloatVector.fromArray(F, keys, keysAt + i * BLOCK + L), q;
            int x = at + i * PACK;
            q = FloatVector.broadcast(F, packed[x]);
            a0 = k0.fma(q, a0);
            e0 = k1.fma(q, e0);
        }
        a0.mul(scale).intoArray(scores, to);
        e0.mul(scale).intoArray(scores, to + L);
    }
}
