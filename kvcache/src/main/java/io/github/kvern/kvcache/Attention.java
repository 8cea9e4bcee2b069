package io.github.kvern.kvcache;

import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Writes keys and values into the cache and answers queries from it.
///
/// The arithmetic of one row and query head is fixed, whatever else is in the step and however the work is shared: blocks of 64
/// positions in ascending order, a streaming softmax with running maximum and sum within a span of blocks, the spans joined in
/// ascending order. Where spans begin depends on the position alone ([Spans]).
///
/// One driver uses it; the tasks it adds run on the region's workers.
public final class Attention {
    private static final long SERIAL = 1 << 15; // values: storing so few is over before a second worker wakes

    private static final float[] NONE = {};

    private final AttentionOps ops;
    private final PagePool pool;
    private final List<KvLayout> groups;
    private final List<StoreTask> stores = new ArrayList<>();
    private final List<AttendTask> attends = new ArrayList<>();

    /// Attention over sequences of one pool.
    public Attention(Kernels kernels, PagePool pool) {
        ops = kernels.attention();
        this.pool = pool;
        groups = pool.groups();
    }

    /// Writes the rows' keys and values of one layer into their pages, and returns when that is done. Runs whatever else the region
    /// holds.
    ///
    /// @param layer counted within the group
    /// @param k row i's keys are the `heads * keySize` floats from `kAt + i * kStride` on
    /// @param v row i's values, `heads * valueSize` floats, likewise
    /// @throws IllegalStateException when a row's position was not reserved
    public void store(Region region, int group, int layer, Rows rows, float[] k, int kAt, int kStride, float[] v, int vAt, int vStride) {
        KvLayout layout = layout(group, layer);
        if (rows.count() == 0) return;
        span(region, k, kAt, kStride, rows.count(), layout.heads() * layout.keySize(), "keys");
        if (!layout.latent())
            span(region, v, vAt, vStride, rows.count(), layout.heads() * layout.valueSize(), "values");
        for (int run = 0; run < rows.runs(); run++) {
            int from = rows.runStart(run), to = rows.runEnd(run) - 1;
            visible(group, rows, from, rows.position(from), rows.position(to));
        }
        StoreTask task = idleStore(region);
        task.prepare(layout, group, layer, rows, k, kAt, kStride, v, vAt, vStride);
        long values = (long) rows.count() * layout.heads() * (layout.keySize() + layout.valueSize());
        if (values <= SERIAL && region.computes()) {
            task.run(0, task.units());
        } else {
            region.add(task, task.units(), values / task.units());
            region.run();
        }
    }

    /// [#store] for a [latent][KvLayout#latent] layout, whose values are parts of its keys.
    public void store(Region region, int group, int layer, Rows rows, float[] k, int kAt, int kStride) {
        if (!layout(group, layer).latent()) throw new IllegalArgumentException("group " + group + " stores values as well: give them too");
        store(region, group, layer, rows, k, kAt, kStride, NONE, 0, 0);
    }

    /// Adds the attention of one layer to a region, which the caller runs: for each row and query head the weighted sum of the values
    /// at the visible positions, weighted by the softmax of `scale * query . key`. Key/value head `h / (queryHeads / heads)` serves
    /// query head h. The arrays and the rows must stay as they are until the region has run.
    ///
    /// @param layer counted within the group
    /// @param q row i's queries are the `queryHeads * keySize` floats from `qAt + i * qStride` on
    /// @param out row i's result takes `queryHeads * valueSize` floats from `outAt + i * outStride` on; may not be `q`
    /// @throws IllegalStateException when what a row sees is not in the cache
    public void attend(Region region, int group, int layer, Rows rows, float[] q, int qAt, int qStride, int queryHeads, float scale,
            float[] out, int outAt,
            int outStride) {
        attend(region, group, layer, rows, q, qAt, qStride, queryHeads, scale, NONE, out, outAt, outStride);
    }

    /// As above, with sinks: every query head has one more score in its softmax, whose weight falls away.
    ///
    /// @param sinks the score of each query head, or none at all
    public void attend(Region region, int group, int layer, Rows rows, float[] q, int qAt, int qStride, int queryHeads, float scale,
            float[] sinks, float[] out, int outAt, int outStride) {
        int headStride = layout(group, layer).valueSize();
        attend(region, group, layer, rows, q, qAt, qStride, queryHeads, scale, sinks, out, outAt, outStride, headStride);
    }

    /// As above, with the heads of a result somewhere else than side by side.
    ///
    /// @param outHeadStride head h of row i takes `valueSize` floats from `outAt + i * outStride + h * outHeadStride` on
    public void attend(Region region, int group, int layer, Rows rows, float[] q, int qAt, int qStride, int queryHeads, float scale,
            float[] sinks, float[] out, int outAt, int outStride, int outHeadStride) {
        add(region, group, layer, rows, q, qAt, qStride, queryHeads, scale, null, sinks, out, outAt, outStride, outHeadStride);
    }

    /// [#attend] for a latent layout, with keys and values that each query head makes for itself from the stored vectors: its queries
    /// are as long as such keys. The same sums as with queries taken into the latent space, in another order; cheaper for many rows of
    /// one sequence.
    ///
    /// @param heads the layer's matrices
    /// @param q row i's queries are the `queryHeads * (plainSize + keySize - valueSize of the layout)` floats from `qAt + i * qStride` on
    /// @param out row i's result takes `queryHeads * heads.valueSize()` floats from `outAt + i * outStride` on; may not be `q`
    public void attendExpanded(Region region, int group, int layer, Rows rows, LatentHeads heads, float[] q, int qAt, int qStride,
            int queryHeads, float scale, float[] out, int outAt, int outStride) {
        if (!layout(group, layer).latent()) throw new IllegalArgumentException("group " + group + " has no latent vectors to expand");
        add(region, group, layer, rows, q, qAt, qStride, queryHeads, scale, heads, NONE, out, outAt, outStride, heads.valueSize());
    }

    private void add(Region region, int group, int layer, Rows rows, float[] q, int qAt, int qStride, int queryHeads, float scale,
            @Nullable LatentHeads heads, float[] sinks, float[] out, int outAt, int outStride, int outHeadStride) {
        KvLayout layout = layout(group, layer);
        int keySize = heads == null ? layout.keySize() : heads.plainSize() + layout.keySize() - layout.valueSize();
        int valueSize = heads == null ? layout.valueSize() : heads.valueSize();
        if (queryHeads < 1 || queryHeads % layout.heads() != 0)
            throw new IllegalArgumentException(queryHeads + " query heads cannot share " + layout.heads() + " key/value heads evenly");
        if (sinks.length > 0 && sinks.length != queryHeads)
            throw new IllegalArgumentException(sinks.length + " sinks for " + queryHeads + " query heads");
        if (rows.count() == 0) return;
        span(region, q, qAt, qStride, rows.count(), Math.multiplyExact(queryHeads, keySize), "queries");
        int lastHead = Math.multiplyExact(queryHeads - 1, outHeadStride);
        span(region, out, outAt, outStride, rows.count(), Math.addExact(lastHead, valueSize), "results");
        for (int run = 0; run < rows.runs(); run++) {
            int from = rows.runStart(run), to = rows.runEnd(run) - 1;
            visible(group, rows, from, layout.firstVisible(rows.position(from)), rows.position(to));
        }
        AttendTask task = idleAttend(region);
        task.prepare(layout, group, layer, rows, q, qAt, qStride, queryHeads, scale, heads, sinks, out, outAt, outStride, outHeadStride);
        region.add(task, task.units(), task.unitCost());
    }

    private KvLayout layout(int group, int layer) {
        KvLayout layout = groups.get(group);
        Objects.checkIndex(layer, layout.layers());
        return layout;
    }

    private void visible(int group, Rows rows, int row, int from, int to) {
        Sequence sequence = rows.sequence(row);
        if (!sequence.isOf(pool)) throw new IllegalArgumentException("the sequence of row " + row + " is of another cache");
        if (!sequence.holds(group, from, to))
            throw new IllegalStateException(
                    "positions " + from + " to " + to + " of row " + row + "'s sequence are not in the cache: reserve before storing");
    }

    private static void span(Region region, float[] array, int at, int stride, int rows, int width, String what) {
        if (at < 0 || stride < 0 || region.computes() && at + (rows - 1L) * stride + width > array.length)
            throw new IllegalArgumentException(
                    rows + " rows of " + width + " " + what + ", " + stride + " apart from " + at + " on, in an array of " + array.length);
    }

    /// Bytes of the buffers of all tasks.
    public long heapBytes() {
        return attends.stream().mapToLong(AttendTask::heapBytes).sum();
    }

    private StoreTask idleStore(Region region) {
        for (StoreTask task : stores) if (task.idle() || !region.computes()) return task;
        StoreTask task = new StoreTask(ops);
        stores.add(task);
        return task;
    }

    private AttendTask idleAttend(Region region) {
        for (AttendTask task : attends) if (task.idle() || !region.computes()) return task;
        AttendTask task = new AttendTask(ops, !region.computes());
        attends.add(task);
        return task;
    }
}
