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
///             F16    panels of 32 columns of that, one after the other; in a panel every row is one
///                    line of 64 bytes, sixteen words, the halves of columns n and n + 16 in word n:
///                    a panel is read in one ascending stream, and a vector of words splits into two
///                    vectors of floats without widening. A last panel of c < 32 columns has rows of
///                    c / 2 words (rounded up) and keeps columns n and n + c / 2 together.
/// ```
///
/// Stateless and thread-safe: whoever calls owns the arrays.
public class AttentionOps {
    /// Positions in a block.
    public static final int BLOCK = 64;
    /// Queries that lie side by side in a pack, see [#pack].
    public static final int PACK = 8;

    /// What the exponent of a half is short of a float's: 2^112.
    public static final float HALF_FACTOR = 0x1p112f;

    /// Columns of a panel of halves.
    public static final int PANEL = 32;
    private static final int TURNED = 16;
    private static final int INFINITE_HALF = 0x7c00;
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort F16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// For [Kernels] and the vector kernels.
    protected AttentionOps() {
    }

    /// Bytes of a block of keys.
    public static long keyBytes(TensorType storage, int size) {
        return storage.rowBytes((long) BLOCK * size);
    }

    /// Bytes of a block of values.
    public static long valueBytes(TensorType storage, int size) {
        return storage.rowBytes((long) BLOCK * (storage == TensorType.F16 ? size + size % 2 : size));
    }

    /// Writes the keys of `count` neighbouring positions into a block.
    ///
    /// @param at byte offset of the block in the page
    /// @param slot the first position in the block; `slot + count` is at most BLOCK
    /// @param keys position p's key is the `size` floats from `keysAt + p * stride` on
    /// @return whether every half that was stored is finite; true for F32
    public final boolean storeKeys(TensorType storage, MemorySegment page, long at, int slot, int count, float[] keys, int keysAt,
            int stride, int size) {
        boolean finite = true;
        for (int p = 0; p < count; p++) {
            int from = keysAt + p * stride;
            if (storage == TensorType.F32) for (int i = 0; i < size; i++) page.set(F32, at + 4L * (i * BLOCK + slot + p), keys[from + i]);
            else finite &= storeHalves(page, at + halfAt(size, BLOCK, 0, slot + p), 2L * PANEL, keys, from, size);
        }
        return finite;
    }

    /// Writes the values of `count` neighbouring positions into a block; arguments and result as for [#storeKeys].
    public final boolean storeValues(TensorType storage, MemorySegment page, long at, int slot, int count, float[] values, int valuesAt,
            int stride, int size) {
        boolean finite = true;
        for (int p = 0; p < count; p++) {
            int from = valuesAt + p * stride;
            if (storage == TensorType.F32) {
                MemorySegment.copy(values, from, page, F32, at + 4L * (slot + p) * size, size);
                continue;
            }
            for (int i = 0, half; i < size; i += half) { // half a panel's row at a time
                half = Math.min(size - i, (Math.min(PANEL, size - i / PANEL * PANEL) + 1) / 2);
                finite &= storeHalves(page, at + halfAt(BLOCK, size, slot + p, i), 4, values, from + i, half);
            }
        }
        return finite;
    }

    private static boolean storeHalves(MemorySegment page, long at, long apart, float[] x, int from, int count) {
        boolean finite = true;
        for (int i = 0; i < count; i++) {
            short half = Float.floatToFloat16(x[from + i]);
            finite &= (half & INFINITE_HALF) != INFINITE_HALF;
            page.set(F16, at + i * apart, half);
        }
        return finite;
    }

    /// Reads a block of keys as floats, `[size][BLOCK]` from the start of `target`.
    public void loadKeys(TensorType storage, MemorySegment page, long at, float[] target, int size) {
        for (int i = 0; i < size; i++) for (int j = 0; j < BLOCK; j++) target[i * BLOCK + j] = get(storage, page, at, size, BLOCK, i, j);
    }

    /// Reads the values of a block's first `positions` positions as floats, `[positions][size]` from the start of `target`.
    public void loadValues(TensorType storage, MemorySegment page, long at, int positions, float[] target, int size) {
        for (int j = 0; j < positions; j++) for (int i = 0; i < size; i++) target[j * size + i] = get(storage, page, at, BLOCK, size, j, i);
    }

    /// Turns the first `size` values of a block's keys, `[..][BLOCK]`, into values of the first `positions` positions,
    /// `[positions][size]`: what a cache does that stores latent vectors once.
    public final void valuesOfKeys(float[] keys, int positions, float[] values, int size) {
        for (int from = 0; from < size; from += TURNED) // lines of both stay in the first-level cache
            for (int j = 0, to = Math.min(size, from + TURNED); j < positions; j++)
                for (int i = from; i < to; i++) values[j * size + i] = keys[i * BLOCK + j];
    }

    private static float get(TensorType storage, MemorySegment page, long at, int rows, int columns, int row, int column) {
        if (storage == TensorType.F32) return page.get(F32, at + 4L * (row * columns + column));
        return Float.float16ToFloat(page.get(F16, at + halfAt(rows, columns, row, column)));
    }

    /// Where a half lies in a block.
    private static long halfAt(int rows, int columns, int row, int column) {
        int panel = column / PANEL * PANEL, words = (Math.min(PANEL, columns - panel) + 1) / 2, n = column - panel;
        return 2L * panel * rows + 4L * row * words + 4L * (n % words) + 2L * (n / words);
    }

    /// Puts query `c` times a factor into its pack: value i at `packed[(c / PACK * size + i) * PACK + c % PACK]`.
    ///
    /// @return whether all of it is finite
    public final boolean pack(float[] query, int queryAt, int size, float factor, float[] packed, int c) {
        int to = c / PACK * size * PACK + c % PACK;
        float zero = 0; // stays, unless something infinite or not a number is added to it times 0
        for (int i = 0; i < size; i++) {
            float x = query[queryAt + i] * factor;
            packed[to + i * PACK] = x;
            zero += x * 0;
        }
        return zero == 0;
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

    /// Whether [#storedScores] and [#storedSums] pay for so few queries: they read the page once, without the way over float arrays.
    public boolean readsStored(TensorType storage, int keySize, int valueSize, int queries) {
        return false;
    }

    /// [#scores] straight from a block of finite halves; the queries were packed with the factor [#HALF_FACTOR]. Same bits: what the
    /// factor adds to a query's exponent is missing from a half's that is read as the upper bits of a float, and the fused product
    /// is exact.
    public void storedScores(MemorySegment page, long at, float[] packed, int size, int first, int last, float scale, float[] scores) {
        for (int c = first; c < last; c++) {
            int q = c / PACK * size * PACK + c % PACK;
            for (int j = 0; j < BLOCK; j++) {
                float sum = 0;
                for (int i = 0; i < size; i++)
                    sum = Math.fma(packed[q + i * PACK] / HALF_FACTOR, get(TensorType.F16, page, at, size, BLOCK, i, j), sum);
                scores[c * BLOCK + j] = sum * scale;
            }
        }
    }

    /// [#accumulate] straight from a block of finite halves. The weights `from` to `to` are overwritten.
    public void storedSums(MemorySegment page, long at, int size, float[] weights, int first, int last, int from, int to, float[] state,
            int stateStride,
            float[] out) {
        for (int c = first; c < last; c++)
            for (int i = 0; i < size; i++) {
                float sum = out[c * size + i] * state[c * stateStride + 2];
                for (int j = from; j < to; j++)
                    sum = Math.fma(weights[c * BLOCK + j], get(TensorType.F16, page, at, BLOCK, size, j, i), sum);
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
