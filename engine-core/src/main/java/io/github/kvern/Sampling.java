package io.github.kvern;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/// How the next token is chosen from the model's logits, and when an answer ends. A value: every method gives a new one.
///
/// ```java
/// Sampling.greedy().maxTokens(64)                                 // always the likeliest token
/// Sampling.defaults().temperature(1).topK(0).seed(7).stop("\n\n") // drawn; the seed makes it repeatable
/// ```
///
/// The steps run in this order, each on what the one before it left (`z` is a token's logit, `p` its share of the softmax over the
/// tokens still there):
///
/// | step | option | default | off |
/// |---|---|---|---|
/// | add | [#logitBias(Map)] | none | none |
/// | penalise | [#repeatPenalty(float)], [#frequencyPenalty(float)], [#presencePenalty(float)] | 1, 0, 0 | 1, 0, 0 |
/// | filter | [#topK(int)] | 40 | 0 |
/// | filter | [#typical(float)] | 1 | 1 |
/// | filter | [#topP(float)] | 0.95 | 1 |
/// | filter | [#minP(float)] | 0.05 | 0 |
/// | draw | [#temperature(float)], [#seed(long)] | 0.8, random | temperature 0 |
///
/// With temperature 0 nothing is filtered or drawn: the highest logit after the penalties wins, at a tie the lowest id. Every
/// filter leaves at least one token. Equal seeds, options and logits give equal tokens on every machine and Java version.
///
/// Every argument is checked when it is given: a wrong one is an [IllegalArgumentException] that names the option, what it takes and
/// what it was given.
public final class Sampling {
    private static final float MAX = Float.MAX_VALUE;

    private final Values values;

    private Sampling(Values values) {
        this.values = values;
    }

    /// Always the likeliest token: the [#defaults()] at temperature 0.
    public static Sampling greedy() {
        return defaults().temperature(0);
    }

    /// Temperature 0.8 over the 40 likeliest tokens, top-p 0.95, min-p 0.05, no penalties, no seed, at most 256 tokens.
    public static Sampling defaults() {
        return new Sampling(new Values());
    }

    /// Divides the logits before the draw: `p ∝ exp(z / temperature)`. Below 1 likely tokens become likelier, above 1 less so.
    ///
    /// @param temperature 0 (no draw, the likeliest token) or more, finite; 0.8 by default
    public Sampling temperature(float temperature) {
        return with(v -> v.temperature = within("temperature", temperature, 0, MAX, "a finite number, 0 or more"));
    }

    /// Keeps the `topK` highest logits (Fan et al. 2018, "Hierarchical Neural Story Generation"). Of equal ones the lower ids are kept.
    ///
    /// @param topK how many; 0 keeps all, as does any number above the vocabulary; 40 by default
    public Sampling topK(int topK) {
        return with(v -> v.topK = atLeast("topK", topK, 0, "0 (off) or more"));
    }

    /// Nucleus sampling: keeps the fewest of the likeliest tokens whose `p` sum up to at least `topP` (Holtzman et al. 2020, "The
    /// Curious Case of Neural Text Degeneration").
    ///
    /// @param topP 0 (only the likeliest token) to 1 (off); 0.95 by default
    public Sampling topP(float topP) {
        return with(v -> v.topP = within("topP", topP, 0, 1, "0 to 1 (off)"));
    }

    /// Keeps tokens with `p ≥ minP · max p`: fewer where the model is sure, more where it is not (Nguyen et al. 2024, "Turning Up the
    /// Heat: Min-p Sampling").
    ///
    /// @param minP 0 (off) to 1 (only the likeliest); 0.05 by default
    public Sampling minP(float minP) {
        return with(v -> v.minP = within("minP", minP, 0, 1, "0 (off) to 1"));
    }

    /// Locally typical sampling: keeps the tokens whose surprise `-ln p` is nearest to the expected one, the entropy `-Σ p ln p`, until
    /// their `p` sum up to at least `typical` (Meister et al. 2023, "Locally Typical Sampling"). The likeliest token may be left out.
    ///
    /// @param typical 0 (only the most typical token) to 1 (off); 1 by default
    public Sampling typical(float typical) {
        return with(v -> v.typical = within("typical", typical, 0, 1, "0 to 1 (off)"));
    }

    /// Makes tokens that were there before less likely: a positive logit is divided by the penalty, any other multiplied (Keskar et al.
    /// 2019, "CTRL"). "Before" is the window of [#repeatLastTokens(int)] over prompt and answer.
    ///
    /// @param repeatPenalty above 0, finite; 1 is off, below 1 favours repetition; 1 by default
    public Sampling repeatPenalty(float repeatPenalty) {
        return with(v -> v.repeatPenalty = within("repeatPenalty", repeatPenalty, Float.MIN_VALUE, MAX, "a finite number above 0"));
    }

    /// How far back the three penalties look.
    ///
    /// @param tokens tokens of prompt and answer; 0 switches the penalties off, -1 is all of them; 64 by default
    public Sampling repeatLastTokens(int tokens) {
        return with(v -> v.repeatLastTokens = atLeast("repeatLastTokens", tokens, -1, "-1 (whole context) or more"));
    }

    /// Takes `frequencyPenalty · n` from the logit of a token that was there `n` times in the window.
    ///
    /// @param frequencyPenalty finite; a negative one favours repetition; 0 (off) by default
    public Sampling frequencyPenalty(float frequencyPenalty) {
        return with(v -> v.frequencyPenalty = within("frequencyPenalty", frequencyPenalty, -MAX, MAX, "a finite number"));
    }

    /// Takes `presencePenalty` from the logit of every token that was there in the window.
    ///
    /// @param presencePenalty finite; a negative one favours repetition; 0 (off) by default
    public Sampling presencePenalty(float presencePenalty) {
        return with(v -> v.presencePenalty = within("presencePenalty", presencePenalty, -MAX, MAX, "a finite number"));
    }

    /// Adds to the logits of some tokens, in place of all biases given before. An id at or above the model's vocabulary is refused when
    /// an answer starts.
    ///
    /// @param biases by token id (0 or more); finite, or negative infinity: never that token
    public Sampling logitBias(Map<Integer, Float> biases) {
        SortedMap<Integer, Float> copy = new TreeMap<>();
        for (Map.Entry<Integer, Float> bias : biases.entrySet()) {
            if (bias.getKey() == null || bias.getValue() == null) {
                throw wrong("logitBias", "an id and a number", bias.getKey() + "=" + bias.getValue());
            }
            copy.put(checkedId(bias.getKey()), checkedBias(bias.getKey(), bias.getValue()));
        }
        return with(v -> v.logitBias = Collections.unmodifiableSortedMap(copy));
    }

    /// Adds to the logit of one more token, or changes its bias.
    ///
    /// @param id 0 or more
    /// @param bias finite, or negative infinity: never that token
    public Sampling logitBias(int id, float bias) {
        SortedMap<Integer, Float> copy = new TreeMap<>(values.logitBias);
        copy.put(checkedId(id), checkedBias(id, bias));
        return with(v -> v.logitBias = Collections.unmodifiableSortedMap(copy));
    }

    /// Makes the draw repeatable.
    ///
    /// @param seed any number; none by default: a random one is chosen for each answer and reported in its [Stats]
    public Sampling seed(long seed) {
        return with(v -> v.seed = OptionalLong.of(seed));
    }

    /// Ends the answer after this many tokens.
    ///
    /// @param maxTokens -1: only at the end of the text or of the context; 0: the prompt is read and nothing written; 256 by default
    public Sampling maxTokens(int maxTokens) {
        return with(v -> v.maxTokens = atLeast("maxTokens", maxTokens, -1, "-1 (until the text or the context ends) or more"));
    }

    /// Ends the answer before the first of these texts, in place of all given before. It is found across the borders of tokens and is
    /// not part of the answer.
    ///
    /// @param stop none of them empty, whole characters only; none by default
    public Sampling stop(String... stop) {
        List<String> copy = new ArrayList<>(stop.length);
        for (String text : stop) {
            if (text == null || text.isEmpty()) throw wrong("stop", "texts of at least one character", text == null ? "null" : "\"\"");
            if (!isWholeCharacters(text)) throw wrong("stop", "whole characters", "half of a surrogate pair");
            if (!copy.contains(text)) copy.add(text);
        }
        return with(v -> v.stop = List.copyOf(copy));
    }

    /// Never chooses a token that ends the text, so that only [#maxTokens(int)], [#stop(String...)] and the context end the answer.
    ///
    /// @param ignore false by default
    public Sampling ignoreEndOfText(boolean ignore) {
        return with(v -> v.ignoreEndOfText = ignore);
    }

    /// Whether tokens carry their [Token#logProbability()]: under the softmax of the model's own logits, before bias, penalties, filters
    /// and temperature. It costs an exponential for each token of the vocabulary.
    ///
    /// @param wanted false by default
    public Sampling logProbabilities(boolean wanted) {
        return with(v -> v.logProbabilities = wanted);
    }

    /// See [#temperature(float)].
    public float temperature() {
        return values.temperature;
    }

    /// See [#topK(int)].
    public int topK() {
        return values.topK;
    }

    /// See [#topP(float)].
    public float topP() {
        return values.topP;
    }

    /// See [#minP(float)].
    public float minP() {
        return values.minP;
    }

    /// See [#typical(float)].
    public float typical() {
        return values.typical;
    }

    /// See [#repeatPenalty(float)].
    public float repeatPenalty() {
        return values.repeatPenalty;
    }

    /// See [#repeatLastTokens(int)].
    public int repeatLastTokens() {
        return values.repeatLastTokens;
    }

    /// See [#frequencyPenalty(float)].
    public float frequencyPenalty() {
        return values.frequencyPenalty;
    }

    /// See [#presencePenalty(float)].
    public float presencePenalty() {
        return values.presencePenalty;
    }

    /// By token id, ascending, unmodifiable. See [#logitBias(Map)].
    public SortedMap<Integer, Float> logitBias() {
        return values.logitBias;
    }

    /// See [#seed(long)].
    public OptionalLong seed() {
        return values.seed;
    }

    /// See [#maxTokens(int)].
    public int maxTokens() {
        return values.maxTokens;
    }

    /// Each once, unmodifiable. See [#stop(String...)].
    public List<String> stop() {
        return values.stop;
    }

    /// See [#ignoreEndOfText(boolean)].
    public boolean ignoreEndOfText() {
        return values.ignoreEndOfText;
    }

    /// See [#logProbabilities(boolean)].
    public boolean logProbabilities() {
        return values.logProbabilities;
    }

    /// The seed, or a random one when none was given; a different one at each call then. It has at most 53 bits, so that it survives
    /// JSON.
    public long seedOrRandom() {
        return values.seed.orElseGet(() -> new SplittableRandom().nextLong() >>> 11);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Sampling sampling && values.named().equals(sampling.values.named());
    }

    @Override
    public int hashCode() {
        return values.named().hashCode();
    }

    /// Every option and its value.
    @Override
    public String toString() {
        return "Sampling" + values.named();
    }

    private Sampling with(Consumer<Values> change) {
        Values copy = new Values(values);
        change.accept(copy);
        return new Sampling(copy);
    }

    private static float within(String name, float value, float lowest, float highest, String expected) {
        if (!(value >= lowest && value <= highest)) throw wrong(name, expected, Float.toString(value)); // also NaN
        return value + 0f; // of the two zeros the positive one, so that equal options are equal
    }

    private static int atLeast(String name, int value, int lowest, String expected) {
        if (value < lowest) throw wrong(name, expected, Integer.toString(value));
        return value;
    }

    private static int checkedId(int id) {
        return atLeast("logitBias", id, 0, "token ids of 0 or more");
    }

    private static float checkedBias(int id, float bias) {
        if (Float.isNaN(bias) || bias == Float.POSITIVE_INFINITY) {
            throw wrong("logitBias", "a finite number or negative infinity for token " + id, Float.toString(bias));
        }
        return bias + 0f;
    }

    private static boolean isWholeCharacters(String text) {
        return text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    private static IllegalArgumentException wrong(String name, String expected, String found) {
        return new IllegalArgumentException(name + ": expected " + expected + ", found " + found);
    }

    /// The options while [#with] makes a copy; never changed once a [Sampling] holds them. A record would need its fifteen components
    /// written out in every method above, and each new option would break its constructor's callers.
    private static final class Values {
        private float temperature = 0.8f;
        private int topK = 40;
        private float topP = 0.95f;
        private float minP = 0.05f;
        private float typical = 1;
        private float repeatPenalty = 1;
        private int repeatLastTokens = 64;
        private float frequencyPenalty;
        private float presencePenalty;
        private SortedMap<Integer, Float> logitBias = Collections.emptySortedMap();
        private OptionalLong seed = OptionalLong.empty();
        private int maxTokens = 256;
        private List<String> stop = List.of();
        private boolean ignoreEndOfText;
        private boolean logProbabilities;

        private Values() {
        }

        private Values(Values from) {
            temperature = from.temperature;
            topK = from.topK;
            topP = from.topP;
            minP = from.minP;
            typical = from.typical;
            repeatPenalty = from.repeatPenalty;
            repeatLastTokens = from.repeatLastTokens;
            frequencyPenalty = from.frequencyPenalty;
            presencePenalty = from.presencePenalty;
            logitBias = from.logitBias;
            seed = from.seed;
            maxTokens = from.maxTokens;
            stop = from.stop;
            ignoreEndOfText = from.ignoreEndOfText;
            logProbabilities = from.logProbabilities;
        }

        private Map<String, Object> named() {
            Map<String, Object> named = new LinkedHashMap<>();
            named.put("temperature", temperature);
            named.put("topK", topK);
            named.put("topP", topP);
            named.put("minP", minP);
            named.put("typical", typical);
            named.put("repeatPenalty", repeatPenalty);
            named.put("repeatLastTokens", repeatLastTokens);
            named.put("frequencyPenalty", frequencyPenalty);
            named.put("presencePenalty", presencePenalty);
            named.put("logitBias", logitBias);
            named.put("seed", seed);
            named.put("maxTokens", maxTokens);
            named.put("stop", stop);
            named.put("ignoreEndOfText", ignoreEndOfText);
            named.put("logProbabilities", logProbabilities);
            return named;
        }
    }
}
