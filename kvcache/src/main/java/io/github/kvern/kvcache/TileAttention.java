package io.github.kvern.kvcache;

import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kernels.WorkerScratch;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The attention of one tile: some neighbouring rows times the query heads that share one key/value head. Query `r * sharing + g`
/// of the tile is row r, head `head * sharing + g`. A block of keys and values is read as floats once for all of
/// them; for the few queries of one position, halves are computed with as they are stored.
///
/// The result of a span is its queries' maxima, sums and weighted sums. The first span of a row becomes its total, later ones are
/// joined to it one by one: the same steps whether one worker takes all spans or each its own.
final class TileAttention {
    private static final int KEYS = 0, VALUES = 1, QUERIES = 2, WEIGHTS = 3, STATE = 4, SUMS = 5, TOTAL_STATE = 6, TOTALS = 7, // scratch
            LATENT = 8, MADE = 9, KEY_MATRIX = 10, VALUE_MATRIX = 11;
    private static final int STATES = 3; // floats of state per query: maximum, sum, factor

    private final AttentionOps ops;
    private final AttendTask task;

    TileAttention(AttentionOps ops, AttendTask task) {
        this.ops = ops;
        this.task = task;
    }

    /// All spans of a tile, and its result.
    void whole(int row, int rows, int head, WorkerScratch scratch) {
        int queries = rows * task.sharing, size = task.valueSize;
        int first = firstBlock(row), last = lastBlock(row, rows);
        boolean stored = pack(row, rows, head, first, last, scratch);
        readMatrices(head, scratch);
        float[] state = scratch.floats(STATE, STATES * queries), sums = scratch.floats(SUMS, queries * size);
        int firstSpan = Spans.of(first), endSpan = Spans.of(last) + 1;
        span(row, rows, head, firstSpan, stored, state, sums, scratch);
        if (endSpan - firstSpan > 1) {
            float[] totalState = scratch.floats(TOTAL_STATE, STATES * queries), totals = scratch.floats(TOTALS, queries * size);
            System.arraycopy(state, 0, totalState, 0, STATES * queries);
            System.arraycopy(sums, 0, totals, 0, queries * size);
            for (int span = firstSpan + 1; span < endSpan; span++) {
                span(row, rows, head, span, stored, state, sums, scratch);
                for (int c = firstQuery(row, rows, Spans.start(span)); c < queries; c++) {
                    int own = firstSpan(row, c);
                    if (own > span) break; // and later ones see less
                    if (own == span) {
                        System.arraycopy(state, STATES * c, totalState, STATES * c, STATES);
                        System.arraycopy(sums, c * size, totals, c * size, size);
                    } else {
                        join(totalState, STATES * c, totals, c * size, state[STATES * c], state[STATES * c + 1], sums, c * size, size);
                    }
                }
            }
            state = totalState;
            sums = totals;
        }
        for (int c = 0; c < queries; c++)
            ops.divide(sums, c * size, total(state, STATES * c, head, c), task.out, outAt(row, c, head), size);
    }

    /// Some spans of a tile: leaves the result of span s and query c in `partials`, from
    /// `at + ((s - the tile's first span) * queries + c) * (valueSize + 2)` on: maximum, sum, weighted sums.
    void part(int row, int rows, int head, int firstSpan, int endSpan, float[] partials, int at, WorkerScratch scratch) {
        int queries = rows * task.sharing, size = task.valueSize;
        boolean stored = pack(row, rows, head, Math.max(firstBlock(row), Spans.start(firstSpan)),
                Math.min(lastBlock(row, rows), Spans.start(endSpan) - 1), scratch);
        readMatrices(head, scratch);
        float[] state = scratch.floats(STATE, STATES * queries), sums = scratch.floats(SUMS, queries * size);
        int tileSpan = Spans.of(firstBlock(row));
        for (int span = firstSpan; span < endSpan; span++) {
            span(row, rows, head, span, stored, state, sums, scratch);
            for (int c = 0; c < queries; c++) {
                int to = at + ((span - tileSpan) * queries + c) * (size + 2);
                partials[to] = state[STATES * c];
                partials[to + 1] = state[STATES * c + 1];
                System.arraycopy(sums, c * size, partials, to + 2, size);
            }
        }
    }

    /// A tile's result from the partial results of all its spans.
    void join(int row, int rows, int head, float[] partials, int at, WorkerScratch scratch) {
        int queries = rows * task.sharing, size = task.valueSize;
        int tileSpan = Spans.of(firstBlock(row)), endSpan = Spans.of(lastBlock(row, rows)) + 1;
        float[] state = scratch.floats(TOTAL_STATE, STATES), total = scratch.floats(TOTALS, size);
        for (int c = 0; c < queries; c++) {
            int firstSpan = firstSpan(row, c), from = at + ((firstSpan - tileSpan) * queries + c) * (size + 2);
            state[0] = partials[from];
            state[1] = partials[from + 1];
            System.arraycopy(partials, from + 2, total, 0, size);
            for (int span = firstSpan + 1; span < endSpan; span++) {
                if (c < firstQuery(row, rows, Spans.start(span))) break;
                from = at + ((span - tileSpan) * queries + c) * (size + 2);
                join(state, 0, total, 0, partials[from], partials[from + 1], partials, from + 2, size);
            }
            ops.divide(total, 0, total(state, 0, head, c), task.out, outAt(row, c, head), size);
        }
    }

    /// The sum of all weights, the sink's among them.
    private float total(float[] state, int at, int head, int query) {
        if (task.sinks.length == 0) return state[at + 1];
        return state[at + 1] + Ops.exp(task.sinks[head * task.sharing + query % task.sharing] - state[at]);
    }

    private void join(float[] state, int stateAt, float[] total, int totalAt, float max, float sum, float[] sums, int sumsAt, int size) {
        float higher = Math.max(state[stateAt], max);
        float a = Ops.exp(state[stateAt] - higher), b = Ops.exp(max - higher);
        state[stateAt] = higher;
        state[stateAt + 1] = Math.fma(state[stateAt + 1], a, sum * b);
        ops.merge(total, totalAt, a, sums, sumsAt, b, size);
    }

    /// One span for all queries of the tile; what a query does not see stays out, and a query that sees nothing has the sum 0.
    ///
    /// Where the rows see different parts of a block, a pack of queries is summed where all of them see, and before and after that
    /// each on its own: the order of additions is that of a query alone, and nothing unseen is touched, not even times zero.
    private void span(int row, int rows, int head, int span, boolean stored, float[] state, float[] sums, WorkerScratch scratch) {
        KvLayout layout = task.layout;
        int queries = rows * task.sharing, size = task.valueSize, keySize = task.keySize;
        int position = task.rows.position(row);
        for (int c = 0; c < queries; c++) {
            state[STATES * c] = Float.NEGATIVE_INFINITY;
            state[STATES * c + 1] = 0;
        }
        Arrays.fill(sums, 0, queries * size, 0f);
        float[] keys = scratch.floats(KEYS, stored ? 0 : AttentionOps.BLOCK * (keySize + AttentionOps.PACK)),
                values = scratch.floats(VALUES, stored ? 0 : AttentionOps.BLOCK * size);
        float[] weights = scratch.floats(WEIGHTS, AttentionOps.BLOCK * packs(queries) * AttentionOps.PACK);
        float[] packed = scratch.floats(QUERIES, packs(queries) * AttentionOps.PACK * keySize);
        int fromBlock = Math.max(Spans.start(span), firstBlock(row));
        int toBlock = Math.min(Spans.start(span + 1) - 1, lastBlock(row, rows));
        for (int block = fromBlock; block <= toBlock; block++) {
            MemorySegment memory = task.rows.sequence(row).page(task.group, block).memory;
            int start = block * PagePool.POSITIONS;
            int seen = Math.min(AttentionOps.BLOCK, position + rows - start); // by the last row
            int skip = firstQuery(row, rows, block), end = queries; // queries that see anything of this block
            while (end > skip && from(position, end - 1, start) >= AttentionOps.BLOCK) end -= task.sharing;
            long keysAt = layout.keysAt(task.layer, head), valuesAt = layout.valuesAt(task.layer, head);
            if (stored) {
                ops.storedScores(memory, keysAt, packed, keySize, skip, end, task.scale, weights);
            } else {
                load(memory, head, seen, keys, values, scratch);
                ops.scores(keys, packed, keySize, skip, end, task.scale, weights);
            }
            for (int c = skip; c < end; c++)
                ops.weigh(weights, c * AttentionOps.BLOCK, from(position, c, start), to(position, c, start), state, STATES * c);
            for (int c = skip; c < end;) {
                boolean same = to(position, c, start) == seen && from(position, c, start) == from(position, end - 1, start);
                int stop = same ? end : Math.min(end, c + AttentionOps.PACK);
                block(stored, memory, valuesAt, values, weights, c, stop, position, start, state, sums);
                c = stop;
            }
        }
    }

    /// A block's keys and values as floats.
    private void load(MemorySegment memory, int head, int seen, float[] keys, float[] values, WorkerScratch scratch) {
        KvLayout layout = task.layout;
        LatentHeads heads = task.heads;
        int stored = layout.keySize(), latent = layout.valueSize(), size = task.valueSize;
        if (heads == null) {
            ops.loadKeys(layout.storage(), memory, layout.keysAt(task.layer, head), keys, stored);
            if (layout.latent()) ops.valuesOfKeys(keys, seen, values, size);
            else ops.loadValues(layout.storage(), memory, layout.valuesAt(task.layer, head), seen, values, size);
            return;
        }
        int plain = heads.plainSize();
        float[] vectors = scratch.floats(LATENT, AttentionOps.BLOCK * stored);
        float[] made = scratch.floats(MADE, AttentionOps.BLOCK * packs(size) * AttentionOps.PACK);
        ops.loadKeys(layout.storage(), memory, layout.keysAt(task.layer, 0), vectors, stored);
        ops.scores(vectors, scratch.floats(KEY_MATRIX, 0), latent, 0, plain, 1, keys); // lies as keys do: a lane is a position
        System.arraycopy(vectors, latent * AttentionOps.BLOCK, keys, plain * AttentionOps.BLOCK, (stored - latent) * AttentionOps.BLOCK);
        ops.scores(vectors, scratch.floats(VALUE_MATRIX, 0), latent, 0, size, 1, made);
        ops.valuesOfKeys(made, seen, values, size);
    }

    /// Reads a head's matrices, once for all blocks of an item.
    private void readMatrices(int head, WorkerScratch scratch) {
        LatentHeads heads = task.heads;
        if (heads == null) return;
        int latent = task.layout.valueSize(), plain = heads.plainSize(), size = heads.valueSize();
        heads.pack(head, scratch.floats(KEY_MATRIX, packs(plain) * AttentionOps.PACK * latent),
                scratch.floats(VALUE_MATRIX, packs(size) * AttentionOps.PACK * latent),
                scratch.floats(MADE, Math.max(latent, Math.max(plain, size))));
    }

    /// The weighted sums of one block for the queries `first` to `last` (exclusive).
    private void block(boolean stored, MemorySegment memory, long at, float[] values, float[] weights, int first, int last, int position,
            int start, float[] state, float[] sums) {
        int from = from(position, last - 1, start), to = to(position, first, start); // what all of them see
        if (from >= to) { // nothing
            for (int c = first; c < last; c++)
                sums(stored, memory, at, values, weights, c, c + 1, from(position, c, start), to(position, c, start), state, sums);
            return;
        }
        for (int c = first; c < last; c++) {
            int own = from(position, c, start);
            if (own == from) break;
            sums(stored, memory, at, values, weights, c, c + 1, own, from, state, sums);
            state[STATES * c + 2] = 1;
        }
        sums(stored, memory, at, values, weights, first, last, from, to, state, sums);
        for (int c = first; c < last; c++) {
            int own = to(position, c, start);
            if (own == to) continue;
            state[STATES * c + 2] = 1;
            sums(stored, memory, at, values, weights, c, c + 1, to, own, state, sums);
        }
    }

    private void sums(boolean stored, MemorySegment memory, long at, float[] values, float[] weights, int first, int last, int from, int to,
            float[] state,
            float[] sums) {
        int size = task.valueSize;
        if (stored) ops.storedSums(memory, at, size, weights, first, last, from, to, state, STATES, sums);
        else ops.accumulate(values, size, weights, first, last, from, to, state, STATES, sums);
    }

    /// Where in a block begins what a query sees; BLOCK or more when it begins behind it.
    private int from(int position, int query, int start) {
        return Math.max(0, task.layout.firstVisible(position + query / task.sharing) - start);
    }

    private int to(int position, int query, int start) {
        return Math.min(AttentionOps.BLOCK, position + query / task.sharing - start + 1);
    }

    /// The first query of the tile that sees anything of a block, or of what comes after it.
    private int firstQuery(int row, int rows, int block) {
        return Math.clamp((long) block * PagePool.POSITIONS - task.rows.position(row), 0, rows) * task.sharing;
    }

    /// The first span that a query of the tile sees anything of.
    private int firstSpan(int row, int query) {
        return Spans.of(firstBlock(row + query / task.sharing));
    }

    private int firstBlock(int row) {
        return task.layout.firstVisible(task.rows.position(row)) / PagePool.POSITIONS;
    }

    private int lastBlock(int row, int rows) {
        return task.rows.position(row + rows - 1) / PagePool.POSITIONS;
    }

    /// Packs the tile's queries.
    ///
    /// @return whether blocks `first` to `last` are to be computed with as they are stored
    private boolean pack(int row, int rows, int head, int first, int last, WorkerScratch scratch) {
        int queries = rows * task.sharing;
        KvLayout layout = task.layout;
        boolean stored = !layout.latent() && ops.readsStored(layout.storage(), layout.keySize(), layout.valueSize(), queries);
        for (int block = first; block <= last && stored; block++) stored = !task.rows.sequence(row).page(task.group, block).oddities;
        if (stored && pack(row, queries, head, AttentionOps.HALF_FACTOR, scratch)) return true;
        pack(row, queries, head, 1, scratch);
        return false;
    }

    private boolean pack(int row, int queries, int head, float factor, WorkerScratch scratch) {
        int size = task.keySize;
        float[] packed = scratch.floats(QUERIES, packs(queries) * AttentionOps.PACK * size);
        boolean finite = true;
        for (int c = 0; c < queries; c++) {
            int r = c / task.sharing, h = head * task.sharing + c % task.sharing;
            finite &= ops.pack(task.q, task.qAt + (row + r) * task.qStride + h * size, size, factor, packed, c);
        }
        return finite;
    }

    private static int packs(int queries) {
        return (queries + AttentionOps.PACK - 1) / AttentionOps.PACK;
    }

    private int outAt(int row, int query, int head) {
        return task.outAt + (row + query / task.sharing) * task.outStride
                + (head * task.sharing + query % task.sharing) * task.outHeadStride;
    }
}
