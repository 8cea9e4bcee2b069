package io.github.kvern.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.moe.RouterSpec.Gate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Choices against the formulas written with sorting and doubles.
class RouterTest {
    private static final Optional<float[]> NO_BIAS = Optional.empty();

    private record Choice(int[] ids, float[] weights) {
    }

    private static Choice choose(RouterSpec spec, Optional<float[]> bias, float... scores) {
        float[] padded = new float[scores.length + 3];
        System.arraycopy(scores, 0, padded, 2, scores.length);
        int[] ids = new int[spec.used() + 1];
        float[] weights = new float[spec.used() + 1];
        new Router(spec, bias).choose(padded, 2, ids, weights, 1);
        return new Choice(java.util.Arrays.copyOfRange(ids, 1, ids.length), java.util.Arrays.copyOfRange(weights, 1, weights.length));
    }

    private static Choice reference(RouterSpec spec, Optional<float[]> bias, float[] scores) {
        int experts = spec.experts(), size = experts / spec.groups();
        double[] p = new double[experts];
        double max = IntStream.range(0, experts).mapToDouble(e -> scores[e]).max().orElseThrow(), sum = 0;
        for (int e = 0; e < experts; e++) sum += Math.exp(scores[e] - max);
        for (int e = 0; e < experts; e++)
            p[e] = switch (spec.gate()) {
                case SOFTMAX -> Math.exp(scores[e] - max) / sum;
                case SIGMOID -> 1 / (1 + Math.exp(-scores[e]));
                case SOFTMAX_OF_CHOSEN, SIGMOID_OF_CHOSEN -> scores[e];
            };
        double[] choice = p.clone();
        bias.ifPresent(b -> {
            for (int e = 0; e < experts; e++) choice[e] += b[e];
        });
        Comparator<Integer> byChoice = Comparator.comparingDouble((Integer e) -> -choice[e]).thenComparing(e -> e);
        List<Integer> groups = new ArrayList<>(IntStream.range(0, spec.groups()).boxed().toList());
        groups.sort(Comparator.comparingDouble((Integer g) -> -IntStream.range(g * size, (g + 1) * size).boxed().sorted(byChoice).limit(2)
                .mapToDouble(e -> choice[e]).sum()).thenComparing(g -> g));
        List<Integer> kept = groups.subList(0, spec.groupsUsed());
        int[] ids = IntStream.range(0, experts).boxed().filter(e -> kept.contains(e / size)).sorted(byChoice).limit(spec.used())
                .mapToInt(e -> e).toArray();
        double[] w = new double[spec.used()];
        for (int k = 0; k < w.length; k++) w[k] = p[ids[k]];
        if (spec.gate() == Gate.SOFTMAX_OF_CHOSEN) {
            double most = IntStream.range(0, w.length).mapToDouble(k -> w[k]).max().orElseThrow(), all = 0;
            for (int k = 0; k < w.length; k++) all += w[k] = Math.exp(w[k] - most);
            for (int k = 0; k < w.length; k++) w[k] /= all;
        }
        if (spec.gate() == Gate.SIGMOID_OF_CHOSEN) for (int k = 0; k < w.length; k++) w[k] = 1 / (1 + Math.exp(-w[k]));
        double chosen = 0;
        for (double x : w) chosen += x;
        float[] weights = new float[w.length];
        for (int k = 0; k < w.length; k++)
            weights[k] = (float) (w[k] / (spec.normalised() ? Math.max(chosen, 6.103515625e-5) : 1) * spec.scale());
        return new Choice(ids, weights);
    }

    /// Llama 4: sigmoids of these are equal as floats, and of equal ones the lower expert would win.
    @Test
    void scoresDecideWhereOnlyTheChosenHaveSigmoids() {
        RouterSpec spec = new RouterSpec(3, 2, Gate.SIGMOID_OF_CHOSEN, false, 1, 1, 1, true);
        assertArrayEquals(new int[] {2, 1}, choose(spec, NO_BIAS, 20, 21, 22).ids());
        assertArrayEquals(new int[] {1, 0}, choose(spec, NO_BIAS, 4.4146962f, 4.4146996f, 1).ids());
        assertArrayEquals(new float[] {0.5f, 0.26894143f}, choose(spec, NO_BIAS, -3, 0, -1).weights(), 1e-7f);
    }

    @Test
    void followsTheFormulas() {
        for (long seed = 0; seed < 2000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int groups = random.nextBoolean() ? 1 : 1 << random.nextInt(4), experts = groups * (1 + random.nextInt(48));
            int groupsUsed = 1 + random.nextInt(groups), used = 1 + random.nextInt(Math.min(12, groupsUsed * (experts / groups)));
            RouterSpec spec = new RouterSpec(experts, used, Gate.values()[random.nextInt(4)], random.nextBoolean(),
                    random.nextBoolean() ? 1 : 2.5f, groups,
                    groupsUsed, random.nextBoolean());
            float[] scores = new float[experts], bias = new float[experts];
            for (int e = 0; e < experts; e++) {
                scores[e] = (float) (random.nextDouble() * 8 - 4);
                bias[e] = (float) (random.nextDouble() - 0.5);
            }
            Optional<float[]> b = random.nextBoolean() ? Optional.of(bias) : NO_BIAS;
            Choice expected = reference(spec, b, scores), actual = choose(spec, b, scores);
            assertArrayEquals(expected.ids, actual.ids, "seed " + seed + ", " + spec);
            assertArrayEquals(expected.weights, actual.weights, 2e-6f, "seed " + seed + ", " + spec);
        }
    }

    @Test
    void equalScoresGoToTheLowerExpert() {
        RouterSpec spec = new RouterSpec(6, 4, Gate.SIGMOID, false, 1, 1, 1, false);
        assertArrayEquals(new int[] {2, 4, 0, 1}, choose(spec, NO_BIAS, 0, 0, 1, 0, 1, 0).ids);
        assertArrayEquals(new int[] {0, 1, 2, 3}, choose(spec, NO_BIAS, 7, 7, 7, 7, 7, 7).ids);
        RouterSpec grouped = new RouterSpec(6, 2, Gate.SIGMOID, false, 1, 3, 1, false);
        assertArrayEquals(new int[] {2, 3}, choose(grouped, NO_BIAS, 0, 0, 1, 1, 1, 1).ids);
    }

    @Test
    void theBiasChoosesButDoesNotWeigh() {
        RouterSpec spec = new RouterSpec(3, 1, Gate.SIGMOID, false, 1, 1, 1, false);
        Choice c = choose(spec, Optional.of(new float[] {0, 0, 1}), 0.5f, 0, 0);
        assertArrayEquals(new int[] {2}, c.ids);
        assertEquals(0.5f, c.weights[0]);
    }

    @Test
    void weightsThatVanishAreNotBlownUp() {
        RouterSpec spec = new RouterSpec(4, 2, Gate.SIGMOID, true, 1, 1, 1, false);
        Choice c = choose(spec, NO_BIAS, -60, -70, -60, -80);
        assertArrayEquals(new int[] {0, 2}, c.ids);
        assertTrue(c.weights[0] > 0 && c.weights[0] < 1e-20, "" + c.weights[0]);
    }

    @Test
    void whatIsNotANumberIsChosenLastAndStaysVisible() {
        float nan = Float.NaN;
        RouterSpec spec = new RouterSpec(4, 2, Gate.SIGMOID, false, 1, 1, 1, false);
        assertArrayEquals(new int[] {3, 1}, choose(spec, NO_BIAS, nan, -5, nan, 1).ids);
        Choice all = choose(spec, NO_BIAS, nan, nan, nan, nan);
        assertArrayEquals(new int[] {0, 1}, all.ids);
        assertTrue(Float.isNaN(all.weights[0]) && Float.isNaN(all.weights[1]));
        Choice softmax = choose(new RouterSpec(4, 4, Gate.SOFTMAX, true, 1, 2, 2, false), NO_BIAS, 1, nan, 3, 4);
        assertArrayEquals(new int[] {0, 1, 2, 3}, softmax.ids);
        for (float w : softmax.weights) assertTrue(Float.isNaN(w));
        assertArrayEquals(new int[] {1, 0}, choose(spec, NO_BIAS, Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY, nan).ids);
    }

    @Test
    void refusesNumbersThatDoNotFit() {
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(4, 0, Gate.SOFTMAX, false, 1, 1, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(4, 5, Gate.SOFTMAX, false, 1, 1, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(4, 1, Gate.SOFTMAX, false, 1, 3, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(4, 3, Gate.SOFTMAX, false, 1, 2, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(4, 1, Gate.SOFTMAX, false, 1, 2, 3, false));
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(4, 1, Gate.SOFTMAX, false, Float.NaN, 1, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new RouterSpec(128, 1, Gate.SOFTMAX, false, 1, 128, 1, false));
        RouterSpec spec = new RouterSpec(4, 1, Gate.SOFTMAX, false, 1, 1, 1, false);
        assertThrows(IllegalArgumentException.class, () -> new Router(spec, Optional.of(new float[3])));
    }
}
