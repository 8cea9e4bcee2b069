package io.github.kvern.moe;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kernels.RangeTask;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.WorkerScratch;
import java.util.Optional;

/// One mixture layer: the router chooses, tokens are grouped by expert, every used expert runs once over its tokens side by side
/// with the shared expert, and the results are summed.
///
/// A token's sum has one order: the experts as the router ranked them, then the shared expert, then onto what is there. With
/// [io.github.kvern.kernels.Precision#EXACT] matrices a token's result does not depend on the others in the step.
///
/// Used by one driver thread; the work itself runs on the region's workers.
public final class MoeLayer {
    private static final int CHUNK = 1024; // values of a unit where a layer's work is cut across vectors
    private static final int SERIAL = 1 << 15; // multiply-adds or so: done before a second worker wakes

    private final RouterSpec spec;
    private final Router router;
    private final float[] scoreBias;
    private final Matrix routerWeights;
    private final Experts experts;
    private final Optional<Experts> shared;
    private final Ops ops;
    private final ExpertUse use;

    private final Step choose = this::choose;
    private final Step gather = this::gather;
    private final Step gate = this::gate;
    private final Step shift = this::shift;
    private final Step gateShared = this::gateShared;
    private final Step sum = this::sum;

    /// Work between two products.
    private interface Step extends RangeTask {
        void run(int from, int to);

        @Override
        default void run(int from, int to, WorkerScratch unused) {
            run(from, to);
        }
    }

    // what the pass under way works on
    private MoeScratch scratch = new MoeScratch();
    private Activation h = new Activation(1, 1);
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

    /// Adds the layer's result: `out[i * width ..] += layer(column i of h)`.
    ///
    /// @param region empty; it is run several times
    /// @param h the normed input, one column per token, in one segment
    public void forward(Region region, Activation h, float[] out, MoeScratch scratch) {
        int tokens = h.columns();
        if (h.width() != experts.width())
            throw new IllegalArgumentException("an input of width " + h.width() + ", expected " + experts.width());
        if (tokens == 0) return;
        if ((long) tokens * experts.width() > out.length)
            throw new IllegalArgumentException(tokens + " tokens of " + experts.width() + " values into an array of " + out.length);
        this.h = h;
        this.out = out;
        this.scratch = scratch;
        scratch.reserve(tokens, spec.experts(), spec.used());
        region.multiply(routerWeights, h, scratch.scores, 0, spec.experts());
        region.run();
        run(region, choose, tokens, (long) spec.experts() * (spec.used() + 8));
        scratch.group(tokens, spec, use);
        experts(region, tokens);
        run(region, sum, tokens * chunks(experts.width()), (long) (spec.used() + 2) * Math.min(CHUNK, experts.width()));
    }

    private void experts(Region region, int tokens) {
        MoeScratch s = scratch;
        int width = experts.width(), inner = experts.inner(), chosen = tokens * spec.used();
        boolean gathered = tokens > 1 || spec.weighsInput(); // all experts of a single token read the same column
        Activation input = gathered ? s.input(width) : h;
        if (gathered) {
            input.reset(chosen);
            input.segment(s.segments, s.segmentCount);
            run(region, gather, chosen, width);
        }
        Activation mid = s.inner(inner);
        mid.reset(chosen);
        mid.segment(s.segments, s.segmentCount);
        s.up = MoeScratch.floats(s.up, Math.multiplyExact(chosen, inner));
        s.results = MoeScratch.floats(s.results, Math.multiplyExact(chosen, width));
        for (int i = 0; i < s.segmentCount; i++) {
            int expert = s.segmentExperts[i], at = s.segments[i] * inner, segment = gathered ? i : 0;
            region.multiply(experts.gate(), expert, input, segment, mid.values(), at, inner);
            region.multiply(experts.up(), expert, input, segment, s.up, at, inner);
        }
        if (shared.isPresent()) {
            Experts one = shared.get();
            Activation sharedMid = s.sharedInner(one.inner());
            sharedMid.reset(tokens);
            s.sharedUp = MoeScratch.floats(s.sharedUp, Math.multiplyExact(tokens, one.inner()));
            s.sharedResults = MoeScratch.floats(s.sharedResults, Math.multiplyExact(tokens, width));
            region.multiply(one.gate(), h, sharedMid.values(), 0, one.inner());
            region.multiply(one.up(), h, s.sharedUp, 0, one.inner());
        }
        region.run();

        if (experts.biases().isPresent()) run(region, shift, chosen, 2L * inner);
        run(region, gate, chunks(chosen * inner), 16L * CHUNK);
        if (shared.isPresent()) run(region, gateShared, chunks(tokens * shared.get().inner()), 16L * CHUNK);

        for (int i = 0; i < s.segmentCount; i++)
            region.multiply(experts.down(), s.segmentExperts[i], mid, i, s.results, s.segments[i] * width, width);
        if (shared.isPresent()) region.multiply(shared.get().down(), s.sharedInner(shared.get().inner()), s.sharedResults, 0, width);
        region.run();
    }

    private static void run(Region region, Step step, int units, long cost) {
        if (units * cost <= SERIAL) {
            step.run(0, units);
        } else {
            region.add(step, units, cost);
            region.run();
        }
    }

    private static int chunks(int values) {
        return (values + CHUNK - 1) / CHUNK;
    }

    private void choose(int from, int to) {
        for (int token = from; token < to; token++) {
            if (scoreBias.length > 0) ops.add(scratch.scores, token * spec.experts(), scoreBias, 0, spec.experts());
            router.choose(scratch.scores, token * spec.experts(), scratch.ids, scratch.weights, token * spec.used());
        }
    }

    private void gather(int from, int to) {
        int width = experts.width();
        float[] target = scratch.input(width).values();
        for (int column = from; column < to; column++) {
            int origin = scratch.origins[column];
            System.arraycopy(h.values(), origin / spec.used() * width, target, column * width, width);
            if (spec.weighsInput()) ops.scale(target, column * width, width, scratch.weights[origin]);
        }
    }

    /// Biases of gate and up.
    private void shift(int from, int to) {
        int inner = experts.inner();
        Experts.Biases biases = experts.biases().orElseThrow();
        for (int column = from; column < to; column++) {
            int expert = scratch.ids[scratch.origins[column]];
            ops.add(scratch.inner(inner).values(), column * inner, biases.gate(), expert * inner, inner);
            ops.add(scratch.up, column * inner, biases.up(), expert * inner, inner);
        }
    }

    private void gate(int from, int to) {
        int end = Math.min(to * CHUNK, h.columns() * spec.used() * experts.inner());
        ops.gated(experts.unit(), scratch.inner(experts.inner()).values(), from * CHUNK, scratch.up, from * CHUNK, end - from * CHUNK);
    }

    private void gateShared(int from, int to) {
        int inner = shared.orElseThrow().inner(), end = Math.min(to * CHUNK, h.columns() * inner);
        ops.gated(shared.get().unit(), scratch.sharedInner(inner).values(), from * CHUNK, scratch.sharedUp, from * CHUNK,
                end - from * CHUNK);
    }

    /// A unit is a chunk of one token's values.
    private void sum(int from, int to) {
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
