package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The inner loops of attention over blocks of [#BLOCK] positions. Keys lie transposed, `[headSize][BLOCK]`, so that a lane is a
/// position; values lie as `[BLOCK][headSize]`, so that a lane is a value: neither needs a sum across lanes, and the order of
/// additions depends on no vector width. This scalar class is the specification.
public class AttentionOps {
    /// Positions in a block.
    public static final int BLOCK = 64;

    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort F16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    AttentionOps() {
    }

    /// Bytes of `count` cached values of a storage type (F32 or F16).
    public static long bytes(TensorType storage, long count) {
        return storage.rowBytes(count);
    }

    /// Writes one position's key into a transposed block.
    ///
    /// @param at byte offset of the block in the page
    /// @param slot 0 to BLOCK - 1
    public void storeKey(TensorType storage, MemorySegment page, long at, int slot, float[] key, int keyAt, int headSize) {
        for (int i = 0; i < headSize; i++) store(storage, page, at, (long) i * BLOCK + slot, key[keyAt + i]);
    }

    /// Writes one position's value into a block.
    public void storeValue(TensorType storage, MemorySegment page, long at, int slot, float[] value, int valueAt, int headSize) {
        for (int i = 0; i < headSize; i++) store(storage, page, at, (long) slot * headSize + i, value[valueAt + i]);
    }

    private static void store(TensorType storage, MemorySegment page, long at, long index, float value) {
        if (storage == TensorType.F32) page.set(F32, at + 4 * index, value);
        else page.set(F16, at + 2 * index, Float.floatToFloat16(value));
    }

    /// Reads a whole block of `headSize * BLOCK` values as floats.
    public void load(TensorType storage, MemorySegment page, long at, float[] target, int count) {
        for (int i = 0; i < count; i++)
            target[i] = storage == TensorType.F32 ? page.get(F32, at + 4L * i) : Float.float16ToFloat(page.get(F16, at + 2L * i));
    }

    /// BLOCK scores of one query: `scores[j] = scale * sum over i of query[i] * keys[i * BLOCK + j]`, fused, ascending i.
    public void scores(float[] keys, float[] query, int queryAt, int headSize, float scale, float[] scores, int scoresAt) {
        for (int j = 0; j < BLOCK; j++) {
            float sum = 0;
            for (int i = 0; i < headSize; i++) sum = Math.fma(query[queryAt + i], keys[i * BLOCK + j], sum);
            scores[scoresAt + j] = sum * scale;
        }
    }

    /// `out[i] += sum over j < positions of weights[j] * values[j * headSize + i]`, fused, ascending j.
    public void accumulate(float[] values, float[] weights, int weightsAt, int from, int to, float[] out, int outAt, int headSize) {
        for (int i = 0; i < headSize; i++) {
            float sum = out[outAt + i];
            for (int j = from; j < to; j++) sum = Math.fma(weights[weightsAt + j], values[j * headSize + i], sum);
            out[outAt + i] = sum;
        }
    }
}
