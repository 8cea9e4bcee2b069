package io.github.kvern.kernels.vector;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.AttentionOps;
import java.lang.foreign.MemorySegment;

/// Attention's inner loops with vectors: the scalar class's bits, whatever the width.
public final class AttentionVector extends AttentionOps {
    /// For the door.
    public AttentionVector() {}

    @Override
    public void loadKeys(TensorType storage, MemorySegment page, long at, float[] target, int size) {
        if (storage == TensorType.F32) MemorySegment.copy(page, AttentionBlocks.F32, at, target, 0, size * BLOCK);
        else AttentionBlocks.load(page, at, size, BLOCK, size, target);
    }

    @Override
    public void loadValues(TensorType storage, MemorySegment page, long at, int positions, float[] target, int size) {
        if (storage == TensorType.F32) MemorySegment.copy(page, AttentionBlocks.F32, at, target, 0, positions * size);
        else AttentionBlocks.load(page, at, BLOCK, size, positions, target);
    }

    @Override
    public void scores(float[] keys, float[] packed, int size, int first, int last, float scale, float[] scores) {
        AttentionScores.scores(keys, packed, size, first, last, scale, scores);
    }

    @Override
    public void weigh(float[] scores, int at, int from, int to, float[] state, int stateAt) {
        AttentionWeights.weigh(scores, at, from, to, state, stateAt);
    }

    @Override
    public void accumulate(float[] values, int size, float[] weights, int first, int last, int from, int to, float[] state, int stateStride,
            float[] out) {
        AttentionSums.accumulate(values, size, weights, first, last, from, to, state, stateStride, out);
    }

    @Override
    public boolean readsStored(TensorType storage, int keySize, int valueSize, int queries) {
        return storage == TensorType.F16 && queries <= PACK && valueSize % PANEL == 0;
    }

    @Override
    public void storedScores(MemorySegment page, long at, float[] packed, int size, int first, int last, float scale, float[] scores) {
        AttentionStored.scores(page, at, packed, size, first, last, scale, scores);
    }

    @Override
    public void storedSums(MemorySegment page, long at, int size, float[] weights, int first, int last, int from, int to, float[] state,
            int stateStride,
            float[] out) {
        AttentionStored.accumulate(page, at, size, weights, first, last, from, to, state, stateStride, out);
    }
}
