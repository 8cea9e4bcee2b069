package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.AttentionVector;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Attention with vectors, or in plain loops while vector code is not compiled: the same bits.
final class WarmingAttention extends AttentionOps {
    private final Warmth blocks = new Warmth(), stored = new Warmth();
    private final AttentionOps vector = new AttentionVector();
    private final AttentionOps plain = new AttentionOps();

    private AttentionOps blocks() {
        return blocks.isCold() ? plain : vector;
    }

    private AttentionOps stored() {
        return stored.isCold() ? plain : vector;
    }

    @Override
    public void loadKeys(TensorType storage, MemorySegment page, long at, float[] target, int size) {
        blocks().loadKeys(storage, page, at, target, size);
    }

    @Override
    public void loadValues(TensorType storage, MemorySegment page, long at, int positions, float[] target, int size) {
        blocks().loadValues(storage, page, at, positions, target, size);
    }

    @Override
    public void scores(float[] keys, float[] packed, int size, int first, int last, float scale, float[] scores) {
        blocks().scores(keys, packed, size, first, last, scale, scores);
    }

    @Override
    public void weigh(float[] scores, int at, int from, int to, float[] state, int stateAt) {
        blocks().weigh(scores, at, from, to, state, stateAt);
    }

    @Override
    public void accumulate(float[] values, int size, float[] weights, int first, int last, int from, int to, float[] state, int stateStride,
            float[] out) {
        blocks().accumulate(values, size, weights, first, last, from, to, state, stateStride, out);
    }

    @Override
    public boolean readsStored(TensorType storage, int keySize, int valueSize, int queries) {
        return vector.readsStored(storage, keySize, valueSize, queries); // decides about the order of calls, not about bits
    }

    @Override
    public void storedScores(MemorySegment page, long at, float[] packed, int size, int first, int last, float scale, float[] scores) {
        stored().storedScores(page, at, packed, size, first, last, scale, scores);
    }

    @Override
    public void storedSums(MemorySegment page, long at, int size, float[] weights, int first, int last, int from, int to, float[] state,
            int stateStride, float[] out) {
        stored().storedSums(page, at, size, weights, first, last, from, to, state, stateStride, out);
    }

    /// What there is to compile.
    List<Exercise> exercises() {
        int size = 64;
        MemorySegment page = Arena.ofAuto().allocate(4L * BLOCK * size, 64);
        float[] keys = new float[BLOCK * size], packed = new float[PACK * size], scores = new float[PACK * BLOCK];
        float[] state = new float[3 * PACK], out = new float[PACK * size];
        int[] queries = {1, 4, PACK};
        AtomicInteger turn = new AtomicInteger(), other = new AtomicInteger();
        return List.of(new Exercise("attention", blocks, () -> {
            int n = queries[turn.getAndIncrement() % queries.length];
            Arrays.fill(state, 0);
            vector.loadKeys(TensorType.F16, page, 0, keys, size);
            vector.scores(keys, packed, size, 0, n, 1, scores);
            for (int c = 0; c < n; c++) vector.weigh(scores, c * BLOCK, 0, BLOCK, state, 3 * c);
            vector.loadValues(TensorType.F16, page, 0, BLOCK, keys, size);
            vector.accumulate(keys, size, scores, 0, n, 0, BLOCK, state, 3, out);
            return 2L * BLOCK * size * (n + 1);
        }), new Exercise("attention, stored", stored, () -> {
            int n = queries[other.getAndIncrement() % queries.length];
            vector.storedScores(page, 0, packed, size, 0, n, 1, scores);
            vector.storedSums(page, 0, size, scores, 0, n, 0, BLOCK, state, 3, out);
            return 2L * BLOCK * size * (n + 1);
        }));
    }
}
