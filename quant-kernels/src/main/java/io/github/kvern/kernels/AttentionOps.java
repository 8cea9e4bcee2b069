package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The inner loops of attention over blocks of [#BLOCK] positions. Keys lie transposed, so that a lane is a position; values lie
/// row by row, so that a lane is a value: neither needs a sum across lanes, and the order of additions depends on no vector width.
/// This scalar class is the specification; the vector kernels override it with the same bits.
///
/// ```text
/// as floats   keys   [size][64]     key i of position j at i * 64 + j
///             values [64][size]     value i of position j at j * size + i
/// in a page   F32    the same
///             F16    positions j and j + 32 share a 32-bit word, j in its low half, so that a
///                    vector of words splits into two vectors of floats without widening:
///                    keys [size][32] words, values [32][size] words
/// ```
///
/// Stateless and thread-safe: whoever calls owns the arrays.
public class AttentionOps {
    /// Positions in a block.
    public static final int BLOCK = 64;
    /// Queries that lie side by side in a pack, see [#pack].
    public static final int PACK = 8;

    /// Positions that share a word with one `HALF` further on.
    protected static final int HALF = BLOCK / 2;
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort F16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// For [Kernels] and the vector kernels.
    protected AttentionOps() {
    }

    /// Bytes of `count` cached values of a storage type (F32 or F16).
    public static long bytes(TensorType storage, long count) {
        return storage.rowBytes(count);
    }

    /// Writes the keys of `count` neighbouring positions into a block.
    ///
    /// @param at byte offset of the block in the page
    /// @param slot the first position in the block; `slot + count` is at most BLOCK
    /// @param keys position p's key is the `size` floats from `keysAt + p * stride` on
    public final void storeKeys(TensorType storage, MemorySegment page, long at, int slot, int count, float[] keys, int keysAt, int stride,
            int size) {
        // the position is the inner loop: the page is written in order, and the few strided reads stay in the first cache
        if (storage == TensorType.F32) {
            for (int i = 0; i < size; i++) {
                long row = at + 4L * BLOCK * i;
                for (int p = 0; p < count; p++) page.set(F32, row + 4L * (slot + p), keys[keysAt + p * stride + i]);
            }
        } else {
            for (int i = 0; i < size; i++) {
                long row = at + 2L * BLOCK * i;
                for (int p = 0; p < count; p++)
                    page.set(F16, row + 4L * ((slot + p) % HALF) + 2L * ((slot + p) / HALF),
                            Float.floatToFloat16(keys[keysAt + p * stride + i]));
            }
        }
    }

    /// Writes the values of `count` neighbouring positions into a block; arguments as for [#storeKeys].
    public final void storeValues(TensorType storage, MemorySegment page, long at, int slot, int count, float[] values, int valuesAt,
            int stride, int size) {
        for (int p = 0; p < count; p++) {
            int from = valuesAt + p * stride;
            if (storage == TensorType.F32) {
                MemorySegment.copy(values, from, page, F32, at + 4L * (slot + p) * size, size);
            } else {
                long row = at + 4L * ((slot + p) % HALF) * size + 2L * ((slot + p) / HALF);
                for (int i = 0; i < size; i++) page.set(F16, row + 4L * i, Float.floatToFloat16(values[from + i]));
            }
        }
    }

    /// Reads a block of keys as floats, `[size][BLOCK]` from the start of `target`.
    public void loadKeys(TensorType storage, MemorySegment page, long at, float[] target, int size) {
        if (storage == TensorType.F32) {
            MemorySegment.copy(page, F32, at, target, 0, size * BLOCK);
            return;
        }
        for (int i = 0; i < size; i++)
            for (int j = 0; j < HALF; j++) {
                long word = at + 2L * BLOCK * i + 4L * j;
                target[i * BLOCK + j] = Float.float16ToFloat(page.get(F16, word));
                target[i * BLOCK + j + HALF] = Float.float16ToFloat(page.get(F16, word + 2));
            }
    }

    /// Reads the values of a block's first `positions` positions as floats, `[positions][size]` from the start of `target`.
    public void loadValues(TensorType storage, MemorySegment page, long at, int positions, float[] target, int size) {
        if (storage == TensorType.F32) {
            MemorySegment.copy(page, F32, at, target, 0, positions * size);
            return;
        }
        for (int j = 0; j < positions; j++)
            for (int i = 0; i < size; i++)
                target[j * size + i] = Float.float16ToFloat(page.get(F16, at + 4L * (j % HALF * size + i) + 2L * (j / HALF)));
    }

    /// Puts query `c` into its pack: value i at `packed[(c / PACK * size + i) * PACK + c % PACK]`.
    public final void pack(float[] query, int queryAt, int size, float[] packed, int c) {
        int to = c / PACK * size * PACK + c % PACK;
        for (int i = 0; i < size; i++) packed[to + i * PACK] = query[queryAt + i];
    }

    /// The scores of packed queries `first` to `last` (exclusive) against a whole block:
    /// `scores[c * BLOCK + j] = scale * sum over i of query c[i] * keys[i * BLOCK + j]`, fused, ascending i. The scores have room for
    /// whole packs, and those of other queries in the packs of `first` and `last` may be overwritten.
    public void scores(float[] keys, float[] packed, int size, int first, int last, float scale, float[] scores) {
        for (int c = first; c < last; c++) {
            int at = c / PACK * size * PACK + c % PACK;
            for (int j = 0; j < BLOCK; j++) {
                float sum = 0;
                for (int i = 0; i < size; i++) sum = Math.fma(packed[at + i * PACK], keys[i * BLOCK + j], sum);
                scores[c * BLOCK + j] = sum * scale;
            }
        }
    }

    /// One block's step of the streaming softmax of one query: turns the scores `from` to `to` (exclusive, at least one) into weights
    /// `e^(score - maximum)`, all others into 0, and brings the running maximum and sum up to date.
    ///
    /// The sum of the weights has one order: sixteen sums of the weights 16 apart, ascending, then halves onto halves.
    ///
    /// @param state at `stateAt` the maximum (before the first block negative infinity), at `stateAt + 1` the sum (0), and at
    ///     `stateAt + 2` what earlier weighted sums are to be multiplied by, which is written only
    public void weigh(float[] scores, int at, int from, int to, float[] state, int stateAt) {
        float before = state[stateAt], max = before;
        for (int j = from; j < to; j++) max = Math.max(max, scores[at + j]);
        float factor = Ops.exp(before - max);
        for (int j = 0; j < BLOCK; j++) scores[at + j] = j >= from && j < to ? Ops.exp(scores[at + j] - max) : 0;
        state[stateAt] = max;
        state[stateAt + 1] = Math.fma(state[stateAt + 1], factor, sum(scores, at));
        state[stateAt + 2] = factor;
    }

    private static float sum(float[] w, int at) {
        float even = 0, odd = 0; // the tree over r = 0..15 of s(r), written as its two halves
        for (int half = 0; half < 2; half++) {
            float a = lane(w, at + half) + lane(w, at + half + 8), b = lane(w, at + half + 4) + lane(w, at + half + 12);
            float c = lane(w, at + half + 2) + lane(w, at + half + 10), d = lane(w, at + half + 6) + lane(w, at + half + 14);
            if (half == 0) even = a + b + (c + d);
            else odd = a + b + (c + d);
        }
        return even + odd;
    }

    private static float lane(float[] w, int at) {
        return w[at] + w[at + 16] + w[at + 32] + w[at + 48];
    }

    /// The weighted sum of a block's positions `from` to `to` (exclusive) for queries `first` to `last` (exclusive):
    /// `out[c * size + i] = out[c * size + i] * factor + sum over j of weights[c * BLOCK + j] * values[j * size + i]`, the product
    /// rounded, then fused, ascending j. The factor of query c is `state[c * stateStride + 2]`.
    public void accumulate(float[] values, int size, float[] weights, int first, int last, int from, int to, float[] state, int stateStride,
            float[] out) {
        for (int c = first; c < last; c++)
            for (int i = 0; i < size; i++) {
                float sum = out[c * size + i] * state[c * stateStride + 2];
                for (int j = from; j < to; j++) sum = Math.fma(weights[c * BLOCK + j], values[j * size + i], sum);
                out[c * size + i] = sum;
            }
    }

    /// Joins two weighted sums with different maxima: `out = out * a + x * b`, the second product rounded, then fused.
    public final void merge(float[] out, int outAt, float a, float[] x, int xAt, float b, int size) {
        for (int i = 0; i < size; i++) out[outAt + i] = Math.fma(out[outAt + i], a, x[xAt + i] * b);
    }

    /// `out = x / sum`.
    public final void divide(float[] x, int xAt, float sum, float[] out, int outAt, int size) {
        for (int i = 0; i < size; i++) out[outAt + i] = x[xAt + i] / sum;
    }
}
