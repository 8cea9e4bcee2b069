package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SamplingTest {
    private static final Sampling DEFAULTS = Sampling.defaults();

    @Test
    void defaults() {
        assertEquals(0.8f, DEFAULTS.temperature());
        assertEquals(40, DEFAULTS.topK());
        assertEquals(0.95f, DEFAULTS.topP());
        assertEquals(0.05f, DEFAULTS.minP());
        assertEquals(1, DEFAULTS.typical());
        assertEquals(1, DEFAULTS.repeatPenalty());
        assertEquals(64, DEFAULTS.repeatLastTokens());
        assertEquals(0, DEFAULTS.frequencyPenalty());
        assertEquals(0, DEFAULTS.presencePenalty());
        assertEquals(Map.of(), DEFAULTS.logitBias());
        assertEquals(OptionalLong.empty(), DEFAULTS.seed());
        assertEquals(256, DEFAULTS.maxTokens());
        assertEquals(List.of(), DEFAULTS.stop());
        assertEquals(false, DEFAULTS.ignoreEndOfText());
        assertEquals(false, DEFAULTS.logProbabilities());
    }

    @Test
    void greedyIsTemperatureZero() {
        assertEquals(DEFAULTS.temperature(0), Sampling.greedy());
        assertEquals(0, Sampling.greedy().temperature());
    }

    /// Each method changes its own option and no other, in a new value, whatever was changed before.
    @Test
    void everyOptionAlone() {
        List<UnaryOperator<Sampling>> changes = List.of(s -> s.temperature(0.5f), s -> s.topK(7), s -> s.topP(0.5f), s -> s.minP(0.5f),
                s -> s.typical(0.5f), s -> s.repeatPenalty(1.5f), s -> s.repeatLastTokens(-1), s -> s.frequencyPenalty(-0.5f),
                s -> s.presencePenalty(0.5f), s -> s.logitBias(Map.of(3, -1f)), s -> s.seed(9), s -> s.maxTokens(-1), s -> s.stop("x"),
                s -> s.ignoreEndOfText(true), s -> s.logProbabilities(true));
        Sampling all = DEFAULTS;
        for (UnaryOperator<Sampling> change : changes) {
            Sampling one = change.apply(DEFAULTS);
            assertNotEquals(DEFAULTS, one);
            assertEquals(one, change.apply(DEFAULTS));
            assertEquals(one.hashCode(), change.apply(DEFAULTS).hashCode());
            assertEquals(1, differences(DEFAULTS, one), one::toString);
            Sampling next = change.apply(all);
            assertEquals(1, differences(all, next), next::toString);
            all = next;
        }
        assertEquals(15, differences(DEFAULTS, all));
        assertEquals(Sampling.defaults(), DEFAULTS);
        assertTrue(all.toString().contains("stop=[x]"), all.toString());
    }

    private static int differences(Sampling a, Sampling b) {
        List<Boolean> same = List.of(a.temperature() == b.temperature(), a.topK() == b.topK(), a.topP() == b.topP(), a.minP() == b.minP(),
                a.typical() == b.typical(), a.repeatPenalty() == b.repeatPenalty(), a.repeatLastTokens() == b.repeatLastTokens(),
                a.frequencyPenalty() == b.frequencyPenalty(), a.presencePenalty() == b.presencePenalty(),
                a.logitBias().equals(b.logitBias()),
                a.seed().equals(b.seed()), a.maxTokens() == b.maxTokens(), a.stop().equals(b.stop()),
                a.ignoreEndOfText() == b.ignoreEndOfText(),
                a.logProbabilities() == b.logProbabilities());
        return (int) same.stream().filter(s -> !s).count();
    }

    @Test
    void refusesWrongValues() {
        for (float value : new float[] {Float.NaN, -1, -Float.MIN_VALUE, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            refused("temperature", value, () -> DEFAULTS.temperature(value));
            refused("topP", value, () -> DEFAULTS.topP(value));
            refused("minP", value, () -> DEFAULTS.minP(value));
            refused("typical", value, () -> DEFAULTS.typical(value));
            refused("repeatPenalty", value, () -> DEFAULTS.repeatPenalty(value));
        }
        for (float value : new float[] {Math.nextUp(1f), 2}) {
            refused("topP", value, () -> DEFAULTS.topP(value));
            refused("minP", value, () -> DEFAULTS.minP(value));
            refused("typical", value, () -> DEFAULTS.typical(value));
        }
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            refused("frequencyPenalty", value, () -> DEFAULTS.frequencyPenalty(value));
            refused("presencePenalty", value, () -> DEFAULTS.presencePenalty(value));
        }
        refused("repeatPenalty", 0f, () -> DEFAULTS.repeatPenalty(0));
        refused("topK", -1, () -> DEFAULTS.topK(-1));
        refused("repeatLastTokens", -2, () -> DEFAULTS.repeatLastTokens(-2));
        refused("maxTokens", Integer.MIN_VALUE, () -> DEFAULTS.maxTokens(Integer.MIN_VALUE));
        refused("logitBias", -1, () -> DEFAULTS.logitBias(-1, 0));
        refused("logitBias", -5, () -> DEFAULTS.logitBias(Map.of(2, 1f, -5, 1f)));
        refused("logitBias", Float.NaN, () -> DEFAULTS.logitBias(3, Float.NaN));
        refused("logitBias", Float.POSITIVE_INFINITY, () -> DEFAULTS.logitBias(Map.of(3, Float.POSITIVE_INFINITY)));
        Map<Integer, Float> withNull = new HashMap<>();
        withNull.put(3, null);
        refused("logitBias", "3=null", () -> DEFAULTS.logitBias(withNull));
        refused("stop", "\"\"", () -> DEFAULTS.stop("a", ""));
        refused("stop", "surrogate", () -> DEFAULTS.stop("a\uD83D"));
        refused("stop", "surrogate", () -> DEFAULTS.stop("\uDE00a"));
    }

    private static void refused(String name, Object found, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call, name + " " + found).getMessage();
        assertTrue(message.startsWith(name + ": expected "), message);
        assertTrue(message.contains(", found ") && message.contains(found.toString()), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void acceptsTheEndsOfItsRanges() {
        Sampling ends = DEFAULTS.temperature(Float.MAX_VALUE).topK(Integer.MAX_VALUE).topP(0).minP(1).typical(0)
                .repeatPenalty(Float.MIN_VALUE).repeatLastTokens(Integer.MAX_VALUE).frequencyPenalty(-Float.MAX_VALUE)
                .presencePenalty(Float.MAX_VALUE).logitBias(Integer.MAX_VALUE, Float.NEGATIVE_INFINITY).seed(Long.MIN_VALUE).maxTokens(0);
        assertEquals(Float.MAX_VALUE, ends.temperature());
        assertEquals(Float.MIN_VALUE, ends.repeatPenalty());
        assertEquals(OptionalLong.of(Long.MIN_VALUE), ends.seed());
        assertEquals(Map.of(Integer.MAX_VALUE, Float.NEGATIVE_INFINITY), ends.logitBias());
        assertEquals(Sampling.greedy(), DEFAULTS.temperature(-0f));
    }

    @Test
    void copiesWhatItIsGiven() {
        Map<Integer, Float> biases = new HashMap<>(Map.of(5, 1f, 2, -1f));
        String[] stops = {"a", "b", "a"};
        Sampling sampling = DEFAULTS.logitBias(7, 9).logitBias(biases).logitBias(3, 0.5f).stop("gone").stop(stops);
        biases.clear();
        stops[0] = "c";
        assertEquals(List.of(2, 3, 5), List.copyOf(sampling.logitBias().keySet()));
        assertEquals(List.of("a", "b"), sampling.stop());
        assertThrows(UnsupportedOperationException.class, () -> sampling.logitBias().put(1, 1f));
        assertThrows(UnsupportedOperationException.class, () -> sampling.stop().add("d"));
        assertNotEquals(DEFAULTS.stop("a, b"), DEFAULTS.stop("a", "b"));
    }

    @Test
    void choosesASeed() {
        assertEquals(-3, DEFAULTS.seed(-3).seedOrRandom());
        long first = DEFAULTS.seedOrRandom();
        assertNotEquals(first, DEFAULTS.seedOrRandom());
        assertEquals(first, (long) (double) first);
    }
}
