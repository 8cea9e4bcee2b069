package io.github.kvern.kvcache;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.RangeTask;
import io.github.kvern.kernels.Room;
import io.github.kvern.kernels.WorkerScratch;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/// One layer's attention, cut into items: a tile of neighbouring rows, one key/value head, and all the spans that the tile sees or
/// a part of them. Items differ in cost, so a unit of the region is an equal share of the cost, with the items that begin in it.
///
/// A tile that was cut leaves its spans' results in a buffer; whoever finishes its last part joins them.
final class AttendTask implements RangeTask {
    private static final int TILE_QUERIES = 64; // per key/value head: enough that reading a block as floats costs little
    private static final int TILE_EXPANDED = 512; // queries of one head: making its keys and values is worth many
    private static final int ITEMS = 64; // wanted: work for many workers
    private static final int PART_BLOCKS = 8; // at least: a smaller part is not worth its partial results
    private static final int UNITS = 256; // at most
    private static final float[] NONE = {};

    private static final int ROW = 0, ROWS = 1, HEAD = 2, FIRST_SPAN = 3, END_SPAN = 4, CUT = 5, FIELDS = 6;

    private final TileAttention tiles;
    private final AtomicInteger left = new AtomicInteger();
    private int[] items = new int[FIELDS * 16];
    private long[] costs = new long[17]; // of all items before
    private int count;
    private int units;

    private int[] cutPartials = new int[16]; // where a cut tile's spans begin in the partial results
    private AtomicIntegerArray cutParts = new AtomicIntegerArray(16); // parts not finished
    private int cuts;
    private final Room room;
    private float[] partials = NONE;

    KvLayout layout = new KvLayout(1, 1, 1, 1, TensorType.F32, Visible.ALL);
    Rows rows = new Rows();
    int group;
    int layer;
    float[] q = NONE;
    int qAt;
    int qStride;
    @Nullable LatentHeads heads; // who have keys and values of their own, made from the stored ones
    int keyHeads; // key/value heads, made or stored
    int keySize;
    int valueSize;
    int sharing; // query heads that share a key/value head
    float scale;
    float[] sinks = NONE; // one score for each query head, or none
    float[] out = NONE;
    int outAt;
    int outStride;
    int outHeadStride;

    /// @param counted whether only the size of its buffers is wanted
    AttendTask(AttentionOps ops, boolean counted) {
        room = new Room(counted, Float.BYTES);
        tiles = new TileAttention(ops, this);
    }

    boolean idle() {
        return left.get() == 0;
    }

    int units() {
        return units;
    }

    long heapBytes() {
        return 4L * (items.length + cutPartials.length) + 8L * costs.length + room.bytes();
    }

    /// Multiply-adds of a unit.
    long unitCost() {
        return Math.max(1, costs[count] / units);
    }

    void prepare(KvLayout layout, int group, int layer, Rows rows, float[] q, int qAt, int qStride, int queryHeads, float scale,
            @Nullable LatentHeads heads, float[] sinks, float[] out, int outAt, int outStride, int outHeadStride) {
        this.layout = layout;
        this.group = group;
        this.layer = layer;
        this.rows = rows;
        this.q = q;
        this.qAt = qAt;
        this.qStride = qStride;
        this.heads = heads;
        this.keyHeads = heads == null ? layout.heads() : queryHeads;
        this.keySize = heads == null ? layout.keySize() : heads.plainSize() + layout.keySize() - layout.valueSize();
        this.valueSize = heads == null ? layout.valueSize() : heads.valueSize();
        this.sharing = queryHeads / keyHeads;
        this.scale = scale;
        this.sinks = sinks;
        this.out = out;
        this.outAt = outAt;
        this.outStride = outStride;
        this.outHeadStride = outHeadStride;
        count = 0;
        cuts = 0;
        long partialSize = 0;
        int whole = tiles() * keyHeads; // items if no tile is cut
        int parts = Math.max(1, (ITEMS + whole - 1) / whole);
        for (int run = 0; run < rows.runs(); run++)
            for (int head = 0; head < keyHeads; head++)
                for (int row = rows.runStart(run); row < rows.runEnd(run);) {
                    int end = tileEnd(run, row);
                    partialSize += cut(row, end - row, head, parts, partialSize);
                    row = end;
                }
        if (partialSize > room.size(0)) partials = room.floats(0, partials, partialSize + partialSize / 4);
        units = Math.min(count, UNITS);
        left.set(units);
    }

    private int tiles() {
        int tiles = 0;
        for (int run = 0; run < rows.runs(); run++)
            for (int row = rows.runStart(run); row < rows.runEnd(run); row = tileEnd(run, row)) tiles++;
        return tiles;
    }

    /// A tile is part of a run, and of a chunk where there are chunks: its rows see the same first position, or, with a window, each
    /// the one behind that of the row before.
    private int tileEnd(int run, int row) {
        Visible visible = layout.visible();
        int most = Math.max(1, (heads == null ? TILE_QUERIES : TILE_EXPANDED) / sharing);
        if (visible.kind() == Visible.Kind.CHUNK) most = Math.min(most, visible.size() - rows.position(row) % visible.size());
        return Math.min(rows.runEnd(run) - row, most) + row;
    }

    /// Adds a tile's items.
    ///
    /// @return floats of partial results that it needs
    private long cut(int row, int tileRows, int head, int parts, long partialAt) {
        int first = layout.firstVisible(rows.position(row)) / PagePool.POSITIONS;
        int last = rows.position(row + tileRows - 1) / PagePool.POSITIONS;
        int firstSpan = Spans.of(first), endSpan = Spans.of(last) + 1;
        int most = Math.min(parts, (last - first + 1) / PART_BLOCKS);
        if (most <= 1 || endSpan - firstSpan == 1) {
            item(row, tileRows, head, firstSpan, endSpan, -1, last - first + 1);
            return 0;
        }
        if (cuts == cutPartials.length) {
            cutPartials = Arrays.copyOf(cutPartials, 2 * cuts);
            AtomicIntegerArray more = new AtomicIntegerArray(2 * cuts);
            for (int i = 0; i < cuts; i++) more.setPlain(i, cutParts.getPlain(i));
            cutParts = more;
        }
        int made = 0;
        for (int p = 0, from = firstSpan; p < most; p++) {
            int limit = p + 1 == most ? endSpan : Math.clamp(Spans.of(first + (int) ((last - first + 1L) * (p + 1) / most)), from, endSpan);
            if (limit == from) continue;
            item(row, tileRows, head, from, limit, cuts, Math.min(last + 1, Spans.start(limit)) - Math.max(first, Spans.start(from)));
            from = limit;
            made++;
        }
        cutPartials[cuts] = (int) partialAt; // if it is more than an array holds, there will be no array
        cutParts.set(cuts++, made);
        return (long) (endSpan - firstSpan) * tileRows * sharing * (valueSize + 2);
    }

    private void item(int row, int tileRows, int head, int firstSpan, int endSpan, int cut, int blocks) {
        if (FIELDS * (count + 1) > items.length) {
            items = Arrays.copyOf(items, 2 * items.length);
            costs = Arrays.copyOf(costs, 2 * costs.length);
        }
        int at = FIELDS * count;
        items[at + ROW] = row;
        items[at + ROWS] = tileRows;
        items[at + HEAD] = head;
        items[at + FIRST_SPAN] = firstSpan;
        items[at + END_SPAN] = endSpan;
        items[at + CUT] = cut;
        long perPosition = (long) keySize + valueSize;
        long making = heads == null ? 2 * perPosition : (heads.plainSize() + (long) valueSize) * layout.valueSize(); // 2: reading as floats
        costs[count + 1] = costs[count] + (long) blocks * PagePool.POSITIONS * (perPosition * tileRows * sharing + making);
        count++;
    }

    @Override
    public void run(int from, int to, WorkerScratch scratch) {
        long share = (costs[count] + units - 1) / units;
        int item = firstFrom(from * share);
        for (; item < count && costs[item] < to * share; item++) run(FIELDS * item, scratch);
        left.addAndGet(from - to);
    }

    /// The first item that begins at this cost or later.
    private int firstFrom(long cost) {
        int at = Arrays.binarySearch(costs, 0, count, cost); // ascending without equals: every item costs something
        return at >= 0 ? at : -at - 1;
    }

    private void run(int at, WorkerScratch scratch) {
        int row = items[at + ROW], tileRows = items[at + ROWS], head = items[at + HEAD], cut = items[at + CUT];
        if (cut < 0) {
            tiles.whole(row, tileRows, head, scratch);
            return;
        }
        tiles.part(row, tileRows, head, items[at + FIRST_SPAN], items[at + END_SPAN], partials, cutPartials[cut], scratch);
        if (cutParts.decrementAndGet(cut) == 0) tiles.join(row, tileRows, head, partials, cutPartials[cut], scratch);
    }
}
