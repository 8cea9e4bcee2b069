package io.github.kvern.moe;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kernels.Pipeline;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.WorkerScratch;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One mixture layer: the router chooses, tokens are grouped by expert, every used expert runs once over its tokens side by side
/// with the shared expert, and the results are summed. Two regions: one to know who is needed, and one for everything else.
///
/// A token's sum has one order: the experts as the router ranked them, then the shared expert, then onto what is there. With
/// [io.github.kvern.kernels.Precision#EXACT] matrices a token's result does not depend on the others in the step.
///
/// Used by one driver thread; the work itself runs on the region's workers.
public final class MoeLayer {
    private static final int CHUNK = 1024; // values of a unit where a layer's work is cut across vectors
    private static final int UP = 11; // a worker's buffer that no product uses

    private final RouterSpec spec;
    private final Router router;
    private final float[] scoreBias;
    private final Matrix routerWeights;
    private final Experts experts;
    private final Optional<Experts> shared;
    private final Ops ops;
    private final ExpertUse use;
    private volatile @Nullable ExpertPages pages;

    private final Pipeline.Work score = this::score;
    private final Pipeline.Work choose = this::choose;
    private final Pipeline.Work gather = this::gather;
    private final Pipeline.Work up = this::up;
    private final Pipeline.Work down = this::down;
    private final Pipeline.Work sharedUp = this::sharedUp;
    private final Pipeline.Work sharedDown = this::sharedDown;
    private final Pipeline.Work sum = this::sum;

    // what the pass under way works on
    private MoeScratch scratch = new MoeScratch();
    private Activation h = new Activation(1, 1);
    private Activation input = h;
    private float[] out = new float[0];

    /// @param router experts x width, in [io.github.kvern.kernels.Precision#EXACT]: it decides by comparing nearly equal numbers
    /// @param bias selection bias, one value per expert
    /// @param experts the stack that the router chooses from
    /// @param shared an expert that every token uses as well, with weight 1
    /// @throws IllegalArgumentException when shapes do not fit each other
    public MoeLayer(RouterSpec spec, Matrix router, Optional<float[]> bias, Experts experts, Optional<Experts> shared, Kernels kernels) {
        this(spec, router, new float[0], bias, experts, shared, kernels);
    }

    /// A layer whose scores are shifted before anything is made of them.
    ///
    /// @param scoreBias one value per expert, or none
    public MoeLayer(RouterSpec spec, Matrix router, float[] scoreBias, Optional<float[]> bias, Experts experts, Optional<Experts> shared,
            Kernels kernels) {
        this.spec = spec;
        this.scoreBias = scoreBias;
        this.router = new Router(spec, bias);
        this.routerWeights = router;
        this.experts = experts;
        this.shared = shared;
        ops = kernels.ops();
        use = new ExpertUse(spec.experts());
        if (router.rows() != spec.experts() || router.columns() != experts.width() || router.experts() != 1)
            throw new IllegalArgumentException("a router of " + router.rows() + " x " + router.columns() + " for " + spec.experts()
                    + " experts of width " + experts.width());
        if (experts.count() != spec.experts())
            throw new IllegalArgumentException("weights of " + experts.count() + " experts, expected " + spec.experts());
        if (scoreBias.length != 0 && scoreBias.length != spec.experts())
            throw new IllegalArgumentException(
                    "a bias of " + scoreBias.length + " values for the scores of " + spec.experts() + " experts");
        if (shared.isPresent() && shared.get().biases().isPresent())
            throw new IllegalArgumentException("a shared expert has no biases here");
        if (shared.isPresent() && (shared.get().count() != 1 || shared.get().width() != experts.width()))
            throw new IllegalArgumentException(
                    "a shared expert of width " + shared.get().width() + ", expected one of width " + experts.width());
    }

    /// How often each expert was chosen.
    public ExpertUse use() {
        return use;
    }

    /// The weights that the router chooses from.
    public Experts experts() {
        return experts;
    }

    /// Who is told from the next step on what it chooses: while the shared expert, which comes first, is computed, pages can be read.
    public void tell(ExpertPages pages) {
        this.pages = pages;
    }

    /// Adds the layer's result: `out[i * width ..] += layer(column i of h)`.
    ///
    /// @param region empty; it is run twice
    /// @param h the normed input, one column per token, in one segment
    public void forward(Region region, Activation h, float[] out, MoeScratch scratch) {
        int tokens = h.columns();
        if (h.width() != experts.width())
            throw new IllegalArgumentException("an input of width " + h.width() + ", expected " + experts.width());
        if (tokens == 0) return;
        if (region.computes() && (long) tokens * experts.width() > out.length)
            throw new IllegalArgumentException(tokens + " tokens of " + experts.width() + " values into an array of " + out.length);
        this.h = h;
        this.out = out;
        this.scratch = scratch;
        scratch.reserve(tokens, spec.experts(), spec.used());
        route(region, tokens);
        scratch.group(tokens, spec, use);
        ExpertPages told = pages;
        compute(region, tokens, told == null ? scratch.segmentCount : scratch.tell(told));
    }

    /// First region: scores, and what each token chooses.
    private void route(Region region, int tokens) {
        Pipeline line = scratch.line;
        line.clear();
        int ready = line.gate(), scored = line.gate();
        line.prepare(routerWeights, h, 0, Pipeline.OPEN, ready);
        add(line, score, 0, routerWeights, tokens, 1, ready, scored);
        line.add(choose, 0, tokens, (long) spec.experts() * (spec.used() + 8), scored, Pipeline.OPEN);
        line.run(region);
    }

    /// Second region: everything else. The shared expert, which every token uses, comes first, then the routed ones from the most used
    /// to the least; on the way down again in this order. Nobody waits for all of the way up: an expert's way down opens when its own
    /// way up is done. Experts whose weights have to be read first come last, each with its way down behind it: what is in memory is
    /// computed meanwhile, and they in the order in which they are read.
    ///
    /// @param ready experts that are in memory, in front
    private void compute(Region region, int tokens, int ready) {
        MoeScratch s = scratch;
        Pipeline line = s.line;
        int width = experts.width(), inner = experts.inner(), chosen = tokens * spec.used();
        Activation mid = s.inner(inner);
        mid.reset(chosen);
        mid.segment(s.segments, s.segmentCount);
        s.roomForResults((long) chosen * width);
        input = h; // all experts of a single token read the same column
        boolean gathers = tokens > 1 || spec.weighsInput();
        if (gathers) {
            input = s.input(width);
            input.reset(chosen);
            input.segment(s.segments, s.segmentCount);
        }
        int plain = line.gate(), sharedMade = line.gate(), all = line.gate();
        if (shared.isPresent()) {
            Experts one = shared.get();
            s.sharedInner(one.inner()).reset(tokens);
            s.roomForSharedResults((long) tokens * width);
            prepare(line, one, h, 0, Pipeline.OPEN, plain);
            add(line, sharedUp, 0, one.gate(), tokens, 2, plain, sharedMade);
        }
        if (!gathers) prepare(line, experts, h, 0, Pipeline.OPEN, plain);
        for (int i = 0; i < ready; i++) addUp(line, s.order(i), gathers, plain);
        if (shared.isPresent()) {
            Experts one = shared.get();
            int there = line.gate();
            line.prepare(one.down(), s.sharedInner(one.inner()), 0, sharedMade, there);
            add(line, sharedDown, 0, one.down(), tokens, 1, there, all);
        }
        for (int i = 0; i < ready; i++) addDown(line, s.order(i), all);
        for (int i = ready; i < s.segmentCount; i++) {
            addUp(line, s.order(i), gathers, plain);
            addDown(line, s.order(i), all);
        }
        line.add(sum, 0, tokens * chunks(width), (long) (spec.used() + 2) * Math.min(CHUNK, width), all, Pipeline.OPEN);
        line.run(region);
    }

    private void addUp(Pipeline line, int segment, boolean gathers, int plain) {
        int count = scratch.inner(experts.inner()).columns(segment), ready = plain;
        scratch.made[segment] = line.gate();
        if (gathers) {
            int copied = line.gate();
            ready = line.gate();
            line.add(gather, segment, count, experts.width(), Pipeline.OPEN, copied);
            prepare(line, experts, input, segment, copied, ready);
        }
        add(line, up, segment, experts.gate(), count, 2, ready, scratch.made[segment]);
    }

    private void addDown(Pipeline line, int segment, int all) {
        Activation mid = scratch.inner(experts.inner());
        int ready = line.gate();
        line.prepare(experts.down(), mid, segment, scratch.made[segment], ready);
        add(line, down, segment, experts.down(), mid.columns(segment), 1, ready, all);
    }

    private static void prepare(Pipeline line, Experts e, Activation x, int segment, int wants, int closes) {
        line.prepare(e.gate(), x, segment, wants, closes);
        line.prepare(e.up(), x, segment, wants, closes);
    }

    /// Adds products with all rows of matrices shaped like `w`.
    private static void add(Pipeline line, Pipeline.Work work, int segment, Matrix w, int columns, int products, int wants, int closes) {
        int unitRows = w.unitRows(columns);
        line.add(work, segment, Math.ceilDiv(w.rows(), unitRows), w.rowCost(columns) * unitRows * products, wants, closes);
    }

    private static int chunks(int values) {
        return (values + CHUNK - 1) / CHUNK;
    }

    private void score(int unused, int from, int to, WorkerScratch worker) {
        int unitRows = routerWeights.unitRows(h.columns()), end = Math.min(to * unitRows, spec.experts());
        routerWeights.multiply(0, from * unitRows, end, h, 0, scratch.scores, 0, spec.experts(), worker);
    }

    private void choose(int unused, int from, int to, WorkerScratch worker) {
        for (int token = from; token < to; token++) {
            if (scoreBias.length > 0) ops.add(scratch.scores, token * spec.experts(), scoreBias, 0, spec.experts());
            router.choose(scratch.scores, token * spec.experts(), scratch.ids, scratch.weights, token * spec.used());
        }
    }

    private void gather(int segment, int from, int to, WorkerScratch worker) {
        int width = experts.width(), first = scratch.segments[segment];
        float[] target = input.values();
        for (int column = first + from; column < first + to; column++) {
            int origin = scratch.origins[column];
            System.arraycopy(h.values(), origin / spec.used() * width, target, column * width, width);
            if (spec.weighsInput()) ops.scale(target, column * width, width, scratch.weights[origin]);
        }
    }

    private void up(int segment, int from, int to, WorkerScratch worker) {
        int expert = scratch.segmentExperts[segment];
        Activation mid = scratch.inner(experts.inner());
        up(experts, expert, input == h ? 0 : segment, input, mid, mid.start(segment), from, to, worker);
    }

    private void sharedUp(int unused, int from, int to, WorkerScratch worker) {
        Experts one = shared.orElseThrow();
        up(one, 0, 0, h, scratch.sharedInner(one.inner()), 0, from, to, worker);
    }

    /// `unit(gate * x, up * x)` for some rows, a unit of rows at a time, while they are in the cache.
    ///
    /// @param first where in `mid` the segment's first column goes
    private void up(Experts e, int expert, int segment, Activation x, Activation mid, int first, int from, int to, WorkerScratch worker) {
        int inner = e.inner(), columns = x.columns(segment), unitRows = e.gate().unitRows(columns);
        float[] gate = mid.values(), other = worker.floats(UP, unitRows * columns);
        for (int row = from * unitRows, end = Math.min(to * unitRows, inner); row < end; row += unitRows) {
            int rows = Math.min(unitRows, end - row);
            e.gate().multiply(expert, row, row + rows, x, segment, gate, first * inner, inner, worker);
            e.up().multiply(expert, row, row + rows, x, segment, other, -row, unitRows, worker);
            for (int c = 0; c < columns; c++) {
                int at = (first + c) * inner + row;
                if (e.biases().isPresent()) {
                    Experts.Biases biases = e.biases().get();
                    ops.add(gate, at, biases.gate(), expert * inner + row, rows);
                    ops.add(other, c * unitRows, biases.up(), expert * inner + row, rows);
                }
                ops.gated(e.unit(), gate, at, other, c * unitRows, rows);
            }
        }
    }

    private void down(int segment, int from, int to, WorkerScratch worker) {
        Activation mid = scratch.inner(experts.inner());
        down(experts.down(), scratch.segmentExperts[segment], mid, segment, scratch.results, from, to, worker);
    }

    private void sharedDown(int unused, int from, int to, WorkerScratch worker) {
        Experts one = shared.orElseThrow();
        down(one.down(), 0, scratch.sharedInner(one.inner()), 0, scratch.sharedResults, from, to, worker);
    }

    private static void down(Matrix w, int expert, Activation mid, int segment, float[] results, int from, int to, WorkerScratch worker) {
        int unitRows = w.unitRows(mid.columns(segment)), end = Math.min(to * unitRows, w.rows());
        w.multiply(expert, from * unitRows, end, mid, segment, results, mid.start(segment) * w.rows(), w.rows(), worker);
    }

    /// A unit is a chunk of one token's values.
    private void sum(int unused, int from, int to, WorkerScratch worker) {
        int width = experts.width(), chunks = chunks(width), used = spec.used();
        for (int unit = from; unit < to; unit++) {
            int token = unit / chunks, at = unit % chunks * CHUNK, n = Math.min(CHUNK, width - at);
            float[] results = scratch.results;
            int sum = scratch.columns[token * used] * width + at; // the best expert's result takes the others up
            if (experts.biases().isPresent()) {
                float[] biases = experts.biases().get().down();
                for (int k = 0; k < used; k++)
                    ops.add(results, scratch.columns[token * used + k] * width + at, biases, scratch.ids[token * used + k] * width + at, n);
            }
            if (!spec.weighsInput()) ops.scale(results, sum, n, scratch.weights[token * used]);
            for (int k = 1; k < used; k++) {
                int x = scratch.columns[token * used + k] * width + at;
                if (spec.weighsInput()) ops.add(results, sum, results, x, n);
                else ops.addScaled(results, sum, results, x, n, scratch.weights[token * used + k]);
            }
            if (shared.isPresent()) ops.add(results, sum, scratch.sharedResults, token * width + at, n);
            ops.add(out, token * width + at, results, sum, n);
        }
    }
}
