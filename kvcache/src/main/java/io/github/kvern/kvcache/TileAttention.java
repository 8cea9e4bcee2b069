package io.github.kvern.kvcache;

import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kernels.WorkerScratch;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The attention of one tile: some neighbouring rows times the query heads that share one key/value head. Query `r * sharing + g`
/// of the tile is row r, head `head * sharing + g`. A block of keys and values is read as floats once for all of them.
///
/// The result of a span is its queries' maxima, sums and weighted sums. The first span of a row becomes its total, later ones are
/// joined to it one by one: the same steps whether one worker takes all spans or each its own.
final class TileAttention {
    private static final int KEYS = 0, VALUES = 1, QUERIES = 2, WEIGHTS = 3, STATE = 4, SUMS = 5, TOTAL_STATE = 6, TOTALS = 7; // scratch
    private static final int STATES = 3; // floats of state per query: maximum, sum, factor

    private final AttentionOps ops;
    private final AttendTask task;

    TileAttention(AttentionOps ops, AttendTask task) {
        this.ops = ops;
        this.task = task;
    }

    /// All spans of a tile, and its result.
    void whole(int row, int rows, int head, WorkerScratch scratch) {
        KvLayout layout = task.layout;
        int queries = rows * task.sharing, size = layout.valueSize();
        int first = firstBlock(row), last = lastBlock(row, rows);
        float[] packed = pack(row, rows, head, scratch);
        float[] state = scratch.floats(STATE, STATES * queries), sums = scratch.floats(SUMS, queries * size);
        int firstSpan = Spans.of(first), endSpan = Spans.of(last) + 1;
        span(row, rows, head, firstSpan, packed, state, sums, scratch);
        if (endSpan - firstSpan > 1) {
            float[] totalState = scratch.floats(TOTAL_STATE, STATES * queries), totals = scratch.floats(TOTALS, queries * size);
            System.arraycopy(state, 0, totalState, 0, STATES * queries);
            System.arraycopy(sums, 0, totals, 0, queries * size);
            for (int span = firstSpan + 1; span < endSpan; span++) {
                span(row, rows, head, span, packed, state, sums, scratch);
                for (int c = firstQuery(row, rows, Spans.start(span)); c < queries; c++)
                    join(totalState, STATES * c, totals, c * size, state[STATES * c], state[STATES * c + 1], sums, c * size, size);
            }
            state = totalState;
            sums = totals;
        }
        for (int c = 0; c < queries; c++) ops.divide(sums, c * size, state[STATES * c + 1], task.out, outAt(row, c, head), size);
    }

    /// Some spans of a tile: leaves the result of span s and query c in `partials`, from
    /// `at + ((s - the tile's first span) * queries + c) * (valueSize + 2)` on: maximum, sum, weighted sums.
    void part(int row, int rows, int head, int firstSpan, int endSpan, float[] partials, int at, WorkerScratch scratch) {
        int queries = rows * task.sharing, size = task.layout.valueSize();
        float[] packed = pack(row, rows, head, scratch);
        float[] state = scratch.floats(STATE, STATES * queries), sums = scratch.floats(SUMS, queries * size);
        int tileSpan = Spans.of(firstBlock(row));
        for (int span = firstSpan; span < endSpan; span++) {
            span(row, rows, head, span, packed, state, sums, scratch);
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
        int queries = rows * task.sharing, size = task.layout.valueSize();
        int firstSpan = Spans.of(firstBlock(row)), endSpan = Spans.of(lastBlock(row, rows)) + 1;
        float[] state = scratch.floats(TOTAL_STATE, STATES), total = scratch.floats(TOTALS, size);
        for (int c = 0; c < queries; c++) {
            int from = at + c * (size + 2);
            state[0] = partials[from];
            state[1] = partials[from + 1];
            System.arraycopy(partials, from + 2, total, 0, size);
            for (int span = firstSpan + 1; span < endSpan; span++) {
                if (c < firstQuery(row, rows, Spans.start(span))) break;
                from = at + ((span - firstSpan) * queries + c) * (size + 2);
                join(state, 0, total, 0, partials[from], partials[from + 1], partials, from + 2, size);
            }
            ops.divide(total, 0, state[1], task.out, outAt(row, c, head), size);
        }
    }

    private void join(float[] state, int stateAt, float[] total, int totalAt, float max, float sum, float[] sums, int sumsAt, int size) {
        float higher = Math.max(state[stateAt], max);
        float a = Ops.exp(state[stateAt] - higher), b = Ops.exp(max - higher);
        state[stateAt] = higher;
        state[stateAt + 1] = Math.fma(state[stateAt + 1], a, sum * b);
        ops.merge(total, totalAt, a, sums, sumsAt, b, size);
    }

    /// One span for all queries of the tile; what a query does not see stays out, and a query that sees nothing has the sum 0.
    private void span(int row, int rows, int head, int span, float[] packed, float[] state, float[] sums, WorkerScratch scratch) {
        KvLayout layout = task.layout;
        int queries = rows * task.sharing, size = layout.valueSize(), keySize = layout.keySize();
        int position = task.rows.position(row), first = layout.firstVisible(position);
        for (int c = 0; c < queries; c++) {
            state[STATES * c] = Float.NEGATIVE_INFINITY;
            state[STATES * c + 1] = 0;
        }
        Arrays.fill(sums, 0, queries * size, 0f);
        float[] keys = scratch.floats(KEYS, AttentionOps.BLOCK * keySize), values = scratch.floats(VALUES, AttentionOps.BLOCK * size);
        float[] weights = scratch.floats(WEIGHTS, AttentionOps.BLOCK * packs(queries) * AttentionOps.PACK);
        int fromBlock = Math.max(Spans.start(span), first / PagePool.POSITIONS);
        int toBlock = Math.min(Spans.start(span + 1) - 1, lastBlock(row, rows));
        for (int block = fromBlock; block <= toBlock; block++) {
            MemorySegment memory = task.rows.sequence(row).page(task.group, block).memory;
            int start = block * PagePool.POSITIONS, from = Math.max(0, first - start);
            int seen = Math.min(AttentionOps.BLOCK, position + rows - start); // by the last row
            int skip = firstQuery(row, rows, block); // queries that see nothing of this block
            ops.loadKeys(layout.storage(), memory, layout.keysAt(task.layer, head), keys, keySize);
            ops.loadValues(layout.storage(), memory, layout.valuesAt(task.layer, head), seen, values, size);
            ops.scores(keys, packed, keySize, skip, queries, task.scale, weights);
            for (int c = skip; c < queries; c++)
                ops.weigh(weights, c * AttentionOps.BLOCK, from, to(position, c, start), state, STATES * c);
            if (to(position, skip, start) == seen) ops.accumulate(values, size, weights, skip, queries, from, seen, state, STATES, sums);
            else ragged(position, start, from, skip, queries, values, size, weights, state, sums);
        }
    }

    /// The weighted sums of a block whose end the rows see differently: a pack of queries together as far as all of them see, then
    /// each on its own. The order of additions is that of a query alone, and nothing unseen is touched.
    private void ragged(int position, int start, int from, int skip, int queries, float[] values, int size, float[] weights, float[] state,
            float[] sums) {
        for (int c = skip; c < queries;) {
            int end = Math.min(queries, c + AttentionOps.PACK), common = to(position, c, start);
            ops.accumulate(values, size, weights, c, end, from, common, state, STATES, sums);
            for (; c < end; c++) {
                int to = to(position, c, start);
                if (to == common) continue;
                state[STATES * c + 2] = 1;
                ops.accumulate(values, size, weights, c, c + 1, common, to, state, STATES, sums);
            }
        }
    }

    private int to(int position, int query, int start) {
        return Math.min(AttentionOps.BLOCK, position + query / task.sharing - start + 1);
    }

    /// The first query of the tile that sees anything of a block, or of what comes after it.
    private int firstQuery(int row, int rows, int block) {
        return Math.clamp((long) block * PagePool.POSITIONS - task.rows.position(row), 0, rows) * task.sharing;
    }

    private int firstBlock(int row) {
        return task.layout.firstVisible(task.rows.position(row)) / PagePool.POSITIONS;
    }

    private int lastBlock(int row, int rows) {
        return task.rows.position(row + rows - 1) / PagePool.POSITIONS;
    }

    private float[] pack(int row, int rows, int head, WorkerScratch scratch) {
        int queries = rows * task.sharing, size = task.layout.keySize();
        float[] packed = scratch.floats(QUERIES, packs(queries) * AttentionOps.PACK * size);
        for (int c = 0; c < queries; c++) {
            int r = c / task.sharing, h = head * task.sharing + c % task.sharing;
            ops.pack(task.q, task.qAt + (row + r) * task.qStride + h * size, size, packed, c);
        }
        return packed;
    }

    private static int packs(int queries) {
        return (queries + AttentionOps.PACK - 1) / AttentionOps.PACK;
    }

    private int outAt(int row, int query, int head) {
        return task.outAt + (row + query / task.sharing) * task.outStride
                + (head * task.sharing + query % task.sharing) * task.layout.valueSize();
    }
}
