package io.github.kvern.engine.sample;

import io.github.kvern.LogitsException;
import io.github.kvern.Sampling;

/// Chooses the tokens of one generation. Not for use by several threads at once; it does not allocate once its buffers have grown.
///
/// The chain, each step on what the one before it left:
///
/// ```
/// logits ─► bias ─► penalties ─┬─► top-k ─► typical ─► top-p ─► min-p ─► temperature ─► draw
///                              └─► temperature 0: the highest, at a tie the lowest id
/// ```
///
/// This is the default order of llama.cpp (`common/common.h`: bias, penalties, DRY, top-n-sigma, top-k, typical, top-p, min-p, XTC,
/// temperature, draw) without the steps that are off there by default. As there (`min_keep` 0) every filter keeps at least one
/// token and none is made to keep more. What differs: at temperature 0 it filters first, which matters only with typical sampling, as
/// that may leave the likeliest token out; typical sampling there stops once the sum is above the mass, here (as in the paper) once it
/// reaches it; sums there are in single precision; and the draw uses another generator, so equal seeds choose other tokens.
///
/// Equal samplings, seeds and logits give equal tokens on every machine: exponentials are written out ([Exponential]), logarithms are
/// `StrictMath`'s, sums have one order, and so have ties.
public final class Sampler {
    private final Sampling sampling;
    private final int vocabulary;
    private final Edits edits;
    private final float[] edited;
    private final Candidates candidates;
    private final double logMinP;
    private final Xoshiro random;
    private long accepted;
    private float logProbability = Float.NaN;

    /// @param sampling what to do
    /// @param vocabulary how many logits there are for a token
    /// @param seed of the draws
    /// @param endOfText ids that end a text: never chosen when the sampling says [Sampling#ignoreEndOfText(boolean)]
    /// @throws IllegalArgumentException a biased id or one of `endOfText` is outside the vocabulary
    public Sampler(Sampling sampling, int vocabulary, long seed, int... endOfText) {
        if (vocabulary < 1) throw new IllegalArgumentException("vocabulary: expected 1 or more, found " + vocabulary);
        this.sampling = sampling;
        this.vocabulary = vocabulary;
        edits = new Edits(sampling, vocabulary, sampling.ignoreEndOfText() ? endOfText : new int[0]);
        edited = new float[edits.isNeeded() ? vocabulary : 0];
        candidates = new Candidates(sampling.temperature() == 0 ? 0 : vocabulary, sampling.topK()); // no draw, no buffers
        logMinP = StrictMath.log(sampling.minP());
        random = new Xoshiro(seed);
    }

    /// Chooses the next token. It is not taken into the penalties' window: [#accept(int)] does that.
    ///
    /// @param logits one for each token of the vocabulary; not changed
    /// @param at where the first one is
    /// @return the id
    /// @throws LogitsException a logit is not a number, or all that are not banned are negative infinity
    public int sample(float[] logits, int at) {
        if (at < 0 || at > logits.length - vocabulary) {
            throw new IllegalArgumentException("logits: expected " + vocabulary + " from " + at + " on, found " + logits.length);
        }
        float[] scores = logits;
        int base = at;
        if (edits.isNeeded()) {
            System.arraycopy(logits, at, edited, 0, vocabulary);
            edits.apply(edited);
            scores = edited;
            base = 0;
        }
        int id = sampling.temperature() == 0 ? highest(scores, base) : drawn(scores, base);
        if (id < 0) throw refusal(logits, at);
        if (sampling.logProbabilities()) logProbability = logProbability(logits, at, id);
        return id;
    }

    /// Takes a token into the penalties' window: each one of the prompt, then each one that is generated.
    public void accept(int id) {
        if (id < 0 || id >= vocabulary) throw new IllegalArgumentException("id: expected 0 to " + (vocabulary - 1) + ", found " + id);
        edits.accept(id);
        accepted++;
    }

    /// The natural logarithm of the probability of the token chosen last, under the softmax of the model's own logits. Negative infinity
    /// if others have a logit of positive infinity.
    ///
    /// @throws IllegalStateException nothing was chosen yet, or the sampling does not ask for [Sampling#logProbabilities(boolean)]
    public float logProbability() {
        if (Float.isNaN(logProbability)) {
            throw new IllegalStateException(sampling.logProbabilities()
                    ? "no token was chosen yet" : "log-probabilities were not asked for: use Sampling.logProbabilities(true)");
        }
        return logProbability;
    }

    private int drawn(float[] scores, int base) {
        if (candidates.collect(scores, base) <= 0) return -1;
        if (sampling.typical() < 1) candidates.typical(sampling.typical());
        if (sampling.topP() < 1) candidates.topP(sampling.topP());
        if (sampling.minP() > 0) candidates.minP(logMinP);
        // One number for each token, also where there is nothing left to choose: the numbers of later tokens do not depend on it.
        return candidates.draw(sampling.temperature(), random.nextDouble());
    }

    /// The lowest id of the highest score; -1 if one is not a number, or all are negative infinity.
    private int highest(float[] scores, int base) {
        int best = -1;
        float highest = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < vocabulary; id++) {
            float score = scores[base + id];
            if (!(score <= highest)) { // higher, or NaN
                if (Float.isNaN(score)) return -1;
                highest = score;
                best = id;
            }
        }
        return best;
    }

    private float logProbability(float[] logits, int at, int id) {
        float highest = Float.NEGATIVE_INFINITY;
        for (int i = at; i < at + vocabulary; i++) highest = Math.max(highest, logits[i]);
        if (highest == Float.POSITIVE_INFINITY) { // the limit of ever higher logits: these share everything
            int sharers = 0;
            for (int i = at; i < at + vocabulary; i++) if (logits[i] == highest) sharers++;
            return logits[at + id] == highest ? (float) -StrictMath.log(sharers) : Float.NEGATIVE_INFINITY;
        }
        double sum = 0;
        for (int i = at; i < at + vocabulary; i++) sum += Exponential.of((double) logits[i] - highest);
        return (float) ((double) logits[at + id] - highest - StrictMath.log(sum));
    }

    private LogitsException refusal(float[] logits, int at) {
        String where = " at position " + accepted;
        String advice = "; the file may be damaged: compare its checksum, or try another quantisation of the model";
        boolean any = false;
        for (int id = 0; id < vocabulary; id++) {
            float logit = logits[at + id];
            if (Float.isNaN(logit)) {
                return new LogitsException("the model's logits are not numbers" + where + ": NaN for token " + id + advice);
            }
            any |= logit != Float.NEGATIVE_INFINITY;
        }
        if (!any) return new LogitsException("the model's logits are not numbers" + where + ": all are negative infinity" + advice);
        return new LogitsException("no token is left to choose" + where + ": logitBias or ignoreEndOfText bans all that the model allows");
    }
}
