package io.github.kvern.kvcache;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.RangeTask;
import io.github.kvern.kernels.WorkerScratch;
import java.util.concurrent.atomic.AtomicInteger;

/// Storing one layer's keys and values. A unit is a stretch of rows that lie in one page, for one head.
final class StoreTask implements RangeTask {
    private static final float[] NONE = {};

    private final AttentionOps ops;
    private final AtomicInteger left = new AtomicInteger();
    private int[] starts = new int[16]; // first rows of stretches, and the end
    private int stretches;
    private KvLayout layout = new KvLayout(1, 1, 1, 1, TensorType.F32, Visible.ALL);
    private Rows rows = new Rows();
    private int group;
    private int layer;
    private float[] k = NONE;
    private float[] v = NONE;
    private int kAt;
    private int kStride;
    private int vAt;
    private int vStride;

    StoreTask(AttentionOps ops) {
        this.ops = ops;
    }

    boolean idle() {
        return left.get() == 0;
    }

    void prepare(KvLayout layout, int group, int layer, Rows rows, float[] k, int kAt, int kStride, float[] v, int vAt, int vStride) {
        this.layout = layout;
        this.group = group;
        this.layer = layer;
        this.rows = rows;
        this.k = k;
        this.kAt = kAt;
        this.kStride = kStride;
        this.v = v;
        this.vAt = vAt;
        this.vStride = vStride;
        if (starts.length <= rows.count()) starts = new int[2 * rows.count() + 1];
        stretches = 0;
        for (int run = 0; run < rows.runs(); run++)
            for (int row = rows.runStart(run); row < rows.runEnd(run);) {
                starts[stretches++] = row;
                row = Math.min(rows.runEnd(run), row + PagePool.POSITIONS - rows.position(row) % PagePool.POSITIONS);
            }
        starts[stretches] = rows.count();
        left.set(units());
    }

    int units() {
        return stretches * layout.heads();
    }

    @Override
    public void run(int from, int to, WorkerScratch scratch) {
        run(from, to);
    }

    void run(int from, int to) {
        for (int unit = from; unit < to; unit++) {
            int row = starts[unit / layout.heads()], count = starts[unit / layout.heads() + 1] - row, head = unit % layout.heads();
            int position = rows.position(row), slot = position % PagePool.POSITIONS;
            Page page = rows.sequence(row).page(group, position / PagePool.POSITIONS);
            int key = layout.keySize(), value = layout.valueSize();
            boolean finite = ops.storeKeys(layout.storage(), page.memory, layout.keysAt(layer, head), slot, count, k,
                    kAt + row * kStride + head * key, kStride, key);
            if (!layout.latent())
                finite &= ops.storeValues(layout.storage(), page.memory, layout.valuesAt(layer, head), slot, count, v,
                        vAt + row * vStride + head * value, vStride, value);
            if (!finite) page.oddities = true;
        }
        left.addAndGet(from - to);
    }
}
