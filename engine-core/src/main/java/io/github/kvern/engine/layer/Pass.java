package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kernels.RangeTask;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Room;
import io.github.kvern.kernels.Workers;
import io.github.kvern.kvcache.Attention;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.moe.MoeScratch;
import java.util.Arrays;
import java.util.Optional;

/// What the layers of a model share while a step runs: the step, the workers' region, the cache, and the buffers. Buffers grow to
/// the largest step seen and are then kept: a step allocates nothing. Belongs to the driver.
public final class Pass {
    private final Ops ops;
    private final Region region;
    private final Attention attention;
    private final int width;
    private final Activation normed;
    private final Activation last;
    private Activation[] middles = {};
    private Activation[] heads = {};
    private float[] bias = Weights.NONE;
    private Optional<Norm> after = Optional.empty();
    private final RowWork addition = Pass::add;
    private final boolean counted;
    private final MoeScratch moe;
    private final Buffer hidden;
    private final Buffer sum;
    private final Buffer queries;
    private final Buffer keys;
    private final Buffer values;
    private final Buffer inner;
    private Turns[] turns = {};
    private RowWork current = (pass, from, to) -> {
    };
    private final RangeTask rowTask = (from, to, scratch) -> work().rows(this, from, to);
    private final GgufFile file;
    private final Watch watch;
    private Step step = new Step();

    /// With [Workers#none()] it counts what its buffers would take, and has none.
    ///
    /// @param width values in a hidden vector
    /// @param file where the weights are
    public Pass(Kernels kernels, Workers workers, PagePool pool, int width, GgufFile file) {
        this.file = file;
        this.watch = new Watch(file);
        this.ops = kernels.ops();
        this.region = new Region(workers);
        this.attention = new Attention(kernels, pool);
        this.width = width;
        counted = !region.computes();
        normed = new Activation(width, 1, counted);
        last = new Activation(width, 1, counted);
        moe = new MoeScratch(counted);
        hidden = new Buffer(counted);
        sum = new Buffer(counted);
        queries = new Buffer(counted);
        keys = new Buffer(counted);
        values = new Buffer(counted);
        inner = new Buffer(counted);
    }

    /// Begins a step.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException somebody wrote to the files that the weights are in
    public void begin(Step step) {
        this.step = step;
        watch.glance();
    }

    /// Looks whether the weights that were read are those of the files that were opened, before what came of them is handed out.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException somebody wrote to the files that the weights are in
    public void requireUnchanged() {
        watch.look();
    }

    /// Gives up what a failed step has begun, so that the next can begin.
    ///
    /// @return what to tell those who wait
    public RuntimeException failed(Throwable e) {
        region.clear();
        return Faults.ofStep(e, file, step.count());
    }

    public Step step() {
        return step;
    }

    public Ops ops() {
        return ops;
    }

    public Region region() {
        return region;
    }

    public Attention attention() {
        return attention;
    }

    public MoeScratch moe() {
        return moe;
    }

    /// The residual stream, `[rows][width]`.
    public float[] hidden() {
        return hidden.of(step.count(), width);
    }

    /// What a part of a layer adds to the stream, `[rows][width]`.
    public float[] sum() {
        return sum.of(step.count(), width);
    }

    /// The normed stream: what a part of a layer reads.
    public Activation normed() {
        return normed;
    }

    /// The normed rows whose logits are wanted.
    public Activation last() {
        return last;
    }

    /// What lies between two products of a layer: attention's answer, or the inside of a feed-forward part.
    public Activation middle(int stride) {
        for (Activation a : middles) if (a.width() == stride) return a;
        middles = Arrays.copyOf(middles, middles.length + 1);
        return middles[middles.length - 1] = new Activation(stride, 1, counted);
    }

    /// Vectors of single heads, which lie by head and then by row; never the same as a [#middle].
    public Activation heads(int size) {
        for (Activation a : heads) if (a.width() == size) return a;
        heads = Arrays.copyOf(heads, heads.length + 1);
        return heads[heads.length - 1] = new Activation(size, 1, counted);
    }

    /// Adds [#sum()], and a bias if there is one, to the residual stream.
    ///
    /// @param bias `width` values, or none
    public void addToStream(float[] bias) {
        addToStream(bias, Optional.empty());
    }

    /// The same, with a norm of the sum and its bias before they are added.
    public void addToStream(float[] bias, Optional<Norm> after) {
        this.bias = bias;
        this.after = after;
        perRow(addition, (after.isPresent() ? 4 : 2) * width);
    }

    private static void add(Pass pass, int from, int to) {
        int n = pass.width;
        float[] x = pass.hidden(), sum = pass.sum();
        if (pass.after.isPresent()) {
            Norm norm = pass.after.get();
            for (int i = from; i < to; i++) {
                if (pass.bias.length > 0) pass.ops.add(sum, i * n, pass.bias, 0, n);
                pass.ops.rmsNorm(sum, i * n, norm.weight(), sum, i * n, n, norm.eps());
                pass.ops.add(x, i * n, sum, i * n, n);
            }
            return;
        }
        pass.ops.add(x, from * n, sum, from * n, (to - from) * n);
        if (pass.bias.length == 0) return;
        for (int i = from; i < to; i++) pass.ops.add(x, i * n, pass.bias, 0, n);
    }

    public float[] queries(int stride) {
        return queries.of(step.count(), stride);
    }

    public float[] keys(int stride) {
        return keys.of(step.count(), stride);
    }

    public float[] values(int stride) {
        return values.of(step.count(), stride);
    }

    /// A second input of a feed-forward part, `[rows][stride]`.
    public float[] inner(int stride) {
        return inner.of(step.count(), stride);
    }

    /// A rope's cosines of the step's positions, `[rows][pairs]`.
    public float[] cos(Rope rope) {
        return turns(rope).cos.of(step.count(), rope.pairs());
    }

    /// A rope's sines of the step's positions, `[rows][pairs]`.
    public float[] sin(Rope rope) {
        return turns(rope).sin.of(step.count(), rope.pairs());
    }

    private Turns turns(Rope rope) {
        for (Turns t : turns) if (t.rope == rope) return t;
        turns = Arrays.copyOf(turns, turns.length + 1);
        return turns[turns.length - 1] = new Turns(rope, new Buffer(counted), new Buffer(counted));
    }

    /// Bytes of all buffers.
    public long heapBytes() {
        long bytes = normed.heapBytes() + last.heapBytes() + moe.heapBytes() + attention.heapBytes();
        for (Buffer b : new Buffer[] {hidden, sum, queries, keys, values, inner}) bytes += b.heapBytes();
        for (Activation a : middles) bytes += a.heapBytes();
        for (Activation a : heads) bytes += a.heapBytes();
        for (Turns t : turns) bytes += t.cos.heapBytes() + t.sin.heapBytes();
        return bytes;
    }

    /// Runs work over all rows of the step, shared among the workers when there is enough of it.
    ///
    /// @param cost of one row, in simple operations
    public void perRow(RowWork work, int cost) {
        current = work;
        region.add(rowTask, step.count(), cost);
        region.run();
    }

    private RowWork work() {
        return current;
    }

    private record Turns(Rope rope, Buffer cos, Buffer sin) {
    }

    private static final class Buffer {
        private final Room room;
        private float[] floats = {};

        Buffer(boolean counted) {
            room = new Room(counted, Float.BYTES);
        }

        long heapBytes() {
            return room.bytes();
        }

        float[] of(int rows, int stride) {
            long size = (long) rows * stride;
            if (size > room.size(0)) floats = room.floats(0, floats, size); // only ever the driver: workers find it large enough
            return floats;
        }
    }
}
