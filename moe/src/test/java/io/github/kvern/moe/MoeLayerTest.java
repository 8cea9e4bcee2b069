package io.github.kvern.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.GatedUnit;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Precision;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import io.github.kvern.moe.RouterSpec.Gate;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The layer against the formula in double, token by token, and the promise that a token's bits depend on no other token.
class MoeLayerTest {
    private static final Kernels KERNELS = Kernels.best();

    /// A layer with random weights, which a test can also compute with.
    private static final class Sample {
        final RouterSpec spec;
        final int width;
        final int inner;
        final int sharedInner;
        final float[] router;
        final float[] gate;
        final float[] up;
        final float[] down;
        final float[] sharedGate;
        final float[] sharedUp;
        final float[] sharedDown;
        final Optional<float[]> bias;
        final GatedUnit unit;
        final float[] scoreBias;
        final Optional<Experts.Biases> biases;
        private final Arena arena;

        Sample(RouterSpec spec, int width, int inner, int sharedInner, boolean biased, SplittableRandom random, Arena arena) {
            this.spec = spec;
            this.width = width;
            this.inner = inner;
            this.sharedInner = sharedInner;
            this.arena = arena;
            int experts = spec.experts();
            router = random(random, experts * width);
            gate = random(random, experts * width * inner);
            up = random(random, experts * width * inner);
            down = random(random, experts * width * inner);
            sharedGate = random(random, width * sharedInner);
            sharedUp = random(random, width * sharedInner);
            sharedDown = random(random, width * sharedInner);
            bias = biased ? Optional.of(random(random, experts)) : Optional.empty();
            boolean shifted = random.nextBoolean();
            scoreBias = shifted ? random(random, experts) : new float[0];
            biases = shifted
                    ? Optional.of(new Experts.Biases(random(random, experts * inner), random(random, experts * inner),
                            random(random, experts * width)))
                    : Optional.empty();
            unit = shifted ? GatedUnit.CLAMPED_SWI_GLU : GatedUnit.SWI_GLU;
        }

        MoeLayer layer() {
            Experts experts = new Experts(matrix(gate, inner, width, spec.experts()), matrix(up, inner, width, spec.experts()),
                    matrix(down, width, inner, spec.experts()), unit, biases);
            Optional<Experts> shared = sharedInner == 0 ? Optional.empty()
                    : Optional.of(new Experts(matrix(sharedGate, sharedInner, width, 1), matrix(sharedUp, sharedInner, width, 1),
                            matrix(sharedDown, width, sharedInner, 1)));
            return new MoeLayer(spec, matrix(router, spec.experts(), width, 1), scoreBias, bias, experts, shared, KERNELS);
        }

        Matrix matrix(float[] values, int rows, int columns, int experts) {
            MemorySegment segment = arena.allocate(4L * values.length, 64);
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
            return KERNELS.matrix(TensorType.F32, segment, rows, columns, experts, Precision.EXACT);
        }

        double[] expected(float[] h, int token, float[] before) {
            float[] scores = new float[spec.experts()];
            for (int e = 0; e < scores.length; e++) {
                double sum = scoreBias.length == 0 ? 0 : scoreBias[e];
                for (int i = 0; i < width; i++) sum += (double) router[e * width + i] * h[token * width + i];
                scores[e] = (float) sum;
            }
            int[] ids = new int[spec.used()];
            float[] weights = new float[spec.used()];
            new Router(spec, bias).choose(scores, 0, ids, weights, 0);
            double[] out = new double[width];
            for (int k = 0; k < ids.length; k++)
                ffn(gate, up, down, biases, ids[k], inner, h, token, spec.weighsInput() ? weights[k] : 1,
                        spec.weighsInput() ? 1 : weights[k], out);
            if (sharedInner > 0) ffn(sharedGate, sharedUp, sharedDown, Optional.empty(), 0, sharedInner, h, token, 1, 1, out);
            for (int i = 0; i < width; i++) out[i] += before[token * width + i];
            return out;
        }

        private void ffn(float[] gate, float[] up, float[] down, Optional<Experts.Biases> biases, int expert, int inner, float[] h,
                int token, double in, double factor, double[] out) {
            double[] mid = new double[inner];
            for (int r = 0; r < inner; r++) {
                double g = biases.isPresent() ? biases.get().gate()[expert * inner + r] : 0,
                        u = biases.isPresent() ? biases.get().up()[expert * inner + r] : 0;
                for (int i = 0; i < width; i++) {
                    g += gate[(expert * inner + r) * width + i] * in * h[token * width + i];
                    u += up[(expert * inner + r) * width + i] * in * h[token * width + i];
                }
                if (biases.isEmpty()) mid[r] = g / (1 + Math.exp(-g)) * u;
                else mid[r] = Math.min(g, 7) / (1 + Math.exp(-1.702 * Math.min(g, 7))) * (Math.clamp(u, -7, 7) + 1);
            }
            for (int r = 0; r < width; r++) {
                if (biases.isPresent()) out[r] += factor * biases.get().down()[expert * width + r];
                for (int i = 0; i < inner; i++) out[r] += factor * down[(expert * width + r) * inner + i] * mid[i];
            }
        }
    }

    private static float[] random(SplittableRandom random, int n) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = (float) (random.nextDouble() * 2 - 1);
        return x;
    }

    private static float[] forward(MoeLayer layer, float[] h, int from, int to, int width, float[] before, int threads,
            MoeScratch scratch) {
        try (Workers workers = new Workers(threads)) {
            Activation x = new Activation(width, 1);
            x.reset(to - from);
            System.arraycopy(h, from * width, x.values(), 0, (to - from) * width);
            float[] out = Arrays.copyOfRange(before, from * width, to * width);
            layer.forward(new Region(workers), x, out, scratch);
            return out;
        }
    }

    private static RouterSpec spec(SplittableRandom random) {
        int groups = random.nextInt(3) == 0 ? 4 : 1, experts = groups * (2 + random.nextInt(8));
        int used = 1 + random.nextInt(Math.min(experts / groups, 8));
        return new RouterSpec(experts, used, Gate.values()[random.nextInt(3)], random.nextBoolean(), random.nextBoolean() ? 1 : 1.5f,
                groups,
                1 + random.nextInt(groups), random.nextBoolean());
    }

    @Test
    void followsTheFormulaAndNoTokenDependsOnAnother() {
        for (long seed = 0; seed < 40; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try (Arena arena = Arena.ofShared()) {
                Sample sample = new Sample(spec(random), 4 + random.nextInt(60), 4 + random.nextInt(60),
                        random.nextBoolean() ? 0 : 8 + random.nextInt(40), random.nextBoolean(),
                        random, arena);
                check(sample, random, 1 + random.nextInt(40), "seed " + seed + ", " + sample.spec);
            }
        }
    }

    /// Top 1 of 128 with the weight on the input, and top 8 of 384, wide enough that every step of the layer runs in parallel.
    @Test
    void manyExperts() {
        RouterSpec one = new RouterSpec(128, 1, Gate.SIGMOID, false, 1, 1, 1, true),
                eight = new RouterSpec(384, 8, Gate.SIGMOID, true, 2.827f, 1, 1, false);
        for (RouterSpec spec : new RouterSpec[] {one, eight})
            try (Arena arena = Arena.ofShared()) {
                SplittableRandom random = new SplittableRandom(7);
                Sample sample = new Sample(spec, 1100, 8, 8, true, random, arena);
                check(sample, random, 37, spec.toString());
            }
    }

    /// One expert that every token chooses beside 383 that one token each chooses; all tokens to one; every token to another.
    @Test
    void skewedRouting() {
        int experts = 384, width = 416;
        RouterSpec one = new RouterSpec(experts, 1, Gate.SIGMOID, false, 1, 1, 1, true),
                eight = new RouterSpec(experts, 8, Gate.SIGMOID, true, 2.827f, 1, 1, false);
        try (Arena arena = Arena.ofShared()) {
            SplittableRandom random = new SplittableRandom(11);
            skewed(new Sample(eight, width, 40, 24, true, random, arena), random, 55, 7, true, "one hot, 383 cold");
            skewed(new Sample(one, width, 70, 24, true, random, arena), random, 30, 0, true, "all to one");
            skewed(new Sample(one, width, 40, 0, true, random, arena), random, 48, 1, false, "all different");
        }
    }

    /// Token t wants experts `1 + others * t` and the next ones, and expert 0 if that is hot.
    private static void skewed(Sample sample, SplittableRandom random, int tokens, int others, boolean hot, String what) {
        int experts = sample.spec.experts(), width = sample.width;
        Arrays.fill(sample.router, 0);
        Arrays.fill(sample.scoreBias, 0);
        float[] bias = sample.bias.orElseThrow();
        Arrays.fill(bias, 0);
        bias[0] = hot ? 10 : -10;
        float[] h = random(random, tokens * width);
        for (int e = 0; e < experts; e++) sample.router[e * width + e] = 1;
        int[] expected = new int[experts];
        for (int t = 0; t < tokens; t++) {
            if (hot) expected[0]++;
            for (int k = 0; k < others; k++) {
                int expert = 1 + (others * t + k) % (experts - 1);
                expected[expert]++;
                h[t * width + expert] = 4 + k;
            }
        }
        MoeLayer layer = check(sample, h, random(random, tokens * width), tokens, what);
        for (int e = 0; e < experts; e++) assertEquals(5L * expected[e], layer.use().tokens(e), what + ", expert " + e);
    }

    /// Who is told hears of every chosen expert, the most used first, before anything is computed with it.
    @Test
    void tellsWhoIsNeeded() {
        RouterSpec spec = new RouterSpec(16, 2, Gate.SIGMOID, true, 1, 1, 1, false);
        try (Arena arena = Arena.ofShared()) {
            SplittableRandom random = new SplittableRandom(5);
            Sample sample = new Sample(spec, 64, 8, 8, true, random, arena);
            Arrays.fill(sample.bias.orElseThrow(), 0);
            sample.bias.orElseThrow()[9] = 10;
            MoeLayer layer = sample.layer();
            List<int[]> told = new ArrayList<>();
            long[] uses = new long[16], repeats = new long[16];
            layer.tell((experts, count, there) -> {
                told.add(Arrays.copyOf(experts, count));
                Arrays.fill(there, 0, count, true);
            });
            float[] h = random(random, 20 * 64);
            for (int step = 0; step < 4; step++) {
                long[] before = new long[16];
                for (int e = 0; e < 16; e++) before[e] = layer.use().tokens(e);
                int tokens = step == 1 ? 1 : 5;
                forward(layer, h, step * 5, step * 5 + tokens, 64, new float[20 * 64], 2, new MoeScratch());
                int[] chosen = told.get(step);
                if (tokens > 1) assertEquals(9, chosen[0]);
                long sum = 0, last = Long.MAX_VALUE;
                for (int e : chosen) {
                    long count = layer.use().tokens(e) - before[e];
                    assertTrue(count > 0 && count <= last, "expert " + e);
                    last = count;
                    sum += count;
                    int expert = e;
                    if (step > 0 && Arrays.stream(told.get(step - 1)).anyMatch(o -> o == expert)) repeats[e]++;
                    uses[e]++;
                }
                assertEquals(2 * tokens, sum);
            }
            assertEquals(4, layer.use().steps());
            for (int e = 0; e < 16; e++) {
                assertEquals(uses[e], layer.use().uses(e), "expert " + e);
                assertEquals(repeats[e], layer.use().repeats(e), "expert " + e);
            }
        }
    }

    /// Who brings pages in says what is in memory, and so what is computed first: no bit depends on it.
    @Test
    void anotherOrderGivesTheSameBits() {
        SplittableRandom random = new SplittableRandom(11);
        for (int round = 0; round < 20; round++) {
            RouterSpec spec = new RouterSpec(12, 3, Gate.SIGMOID, true, 1, 1, 1, round % 4 == 3);
            try (Arena arena = Arena.ofShared()) {
                Sample sample = new Sample(spec, 64, 40, round % 2 == 0 ? 40 : 0, true, random, arena);
                MoeLayer layer = sample.layer();
                int tokens = 1 + round % 5;
                float[] h = random(random, tokens * 64), before = random(random, tokens * 64);
                float[] expected = forward(layer, h, 0, tokens, 64, before, 1, new MoeScratch());
                List<boolean[]> said = new ArrayList<>();
                layer.tell((experts, count, there) -> {
                    for (int i = 0; i < count; i++) there[i] = random.nextBoolean();
                    said.add(Arrays.copyOf(there, count));
                });
                MoeScratch scratch = new MoeScratch();
                for (int threads = 1; threads <= 3; threads++)
                    assertBits(expected, forward(layer, h, 0, tokens, 64, before, threads, scratch),
                            "round " + round + ", " + threads + " threads, there " + Arrays.toString(said.getLast()));
                assertEquals(3, said.size());
            }
        }
    }

    private static void check(Sample sample, SplittableRandom random, int tokens, String what) {
        check(sample, random(random, tokens * sample.width), random(random, tokens * sample.width), tokens, what);
    }

    private static MoeLayer check(Sample sample, float[] h, float[] before, int tokens, String what) {
        int width = sample.width;
        MoeLayer layer = sample.layer();
        MoeScratch scratch = new MoeScratch();
        float[] all = forward(layer, h, 0, tokens, width, before, 1, scratch);
        for (int t = 0; t < tokens; t++) {
            double[] expected = sample.expected(h, t, before);
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            for (int i = 0; i < width; i++)
                assertEquals(expected[i], all[t * width + i], 2e-5 * Math.max(1, largest), what + ", token " + t + ", value " + i);
            assertBits(Arrays.copyOfRange(all, t * width, (t + 1) * width), forward(layer, h, t, t + 1, width, before, 1, scratch),
                    what + ", token " + t + " alone");
        }
        assertBits(all, forward(layer, h, 0, tokens, width, before, 2, scratch), what + ", two threads");
        assertBits(all, forward(layer, h, 0, tokens, width, before, 3, new MoeScratch()), what + ", three threads");
        assertBits(all, forward(layer, h, 0, tokens, width, before, 5, new MoeScratch()), what + ", five threads");
        long uses = 0;
        for (int e = 0; e < layer.use().experts(); e++) uses += layer.use().tokens(e);
        assertEquals(5L * tokens * sample.spec.used(), uses, what);
        return layer;
    }

    private static void assertBits(float[] expected, float[] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++)
            if (Float.floatToRawIntBits(expected[i]) != Float.floatToRawIntBits(actual[i]))
                throw new AssertionError(what + ": value " + i + " is " + actual[i] + ", expected " + expected[i]);
    }

    @Test
    void refusesShapesThatDoNotFit() {
        try (Arena arena = Arena.ofShared()) {
            SplittableRandom random = new SplittableRandom(1);
            RouterSpec spec = new RouterSpec(4, 2, Gate.SOFTMAX, true, 1, 1, 1, false);
            Sample s = new Sample(spec, 8, 12, 0, false, random, arena);
            Matrix in = s.matrix(s.gate, 12, 8, 4), out = s.matrix(s.down, 8, 12, 4), router = s.matrix(s.router, 4, 8, 1);
            assertThrows(IllegalArgumentException.class, () -> new Experts(in, in, in));
            assertThrows(IllegalArgumentException.class, () -> new Experts(in, out, out));
            Experts experts = new Experts(in, in, out);
            assertThrows(IllegalArgumentException.class,
                    () -> new MoeLayer(spec, s.matrix(s.router, 8, 4, 1), Optional.empty(), experts, Optional.empty(), KERNELS));
            assertThrows(IllegalArgumentException.class,
                    () -> new MoeLayer(spec, router, Optional.empty(), experts, Optional.of(experts), KERNELS));
            assertThrows(IllegalArgumentException.class,
                    () -> new MoeLayer(spec, router, Optional.of(new float[3]), experts, Optional.empty(), KERNELS));
            assertThrows(IllegalArgumentException.class,
                    () -> new MoeLayer(spec, router, new float[3], Optional.empty(), experts, Optional.empty(), KERNELS));
            Experts.Biases odd = new Experts.Biases(new float[48], new float[47], new float[32]);
            assertThrows(IllegalArgumentException.class, () -> new Experts(in, in, out, GatedUnit.SWI_GLU, Optional.of(odd)));
            RouterSpec more = new RouterSpec(5, 2, Gate.SOFTMAX, true, 1, 1, 1, false);
            assertThrows(IllegalArgumentException.class,
                    () -> new MoeLayer(more, router, Optional.empty(), experts, Optional.empty(), KERNELS));
            MoeLayer layer = new MoeLayer(spec, router, Optional.empty(), experts, Optional.empty(), KERNELS);
            try (Workers workers = new Workers(1)) {
                Region region = new Region(workers);
                assertThrows(IllegalArgumentException.class,
                        () -> layer.forward(region, new Activation(9, 1), new float[99], new MoeScratch()));
                Activation h = new Activation(8, 2);
                h.reset(2);
                assertThrows(IllegalArgumentException.class, () -> layer.forward(region, h, new float[15], new MoeScratch()));
            }
        }
    }
}
