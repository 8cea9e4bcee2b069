package io.github.kvern.engine.sample;

import io.github.kvern.Sampling;
import java.util.Arrays;
import java.util.Map;

/// What is done to the logits of some tokens before anything is filtered: biases, and penalties for tokens that were there before. The
/// arithmetic is in double precision, rounded once for the biases and once for the penalties; what would overflow stays the largest
/// finite number, so that no edit makes an infinity or something that is not a number.
final class Edits {
    private final int[] biasedIds;
    private final float[] biases;
    private final double repeat;
    private final double frequency;
    private final double presence;
    /// How many tokens back are penalised; -1: all.
    private final int window;
    /// For each id: 0, or one more than how often it is in the window once it is listed in `seen`.
    private final int[] counts;
    /// Every id of the window, and some that have left it.
    private int[] seen = {};
    private int seenSize;
    /// The window, in a ring once it is full.
    private int[] ring = {};
    private int ringSize;
    private int oldest;

    /// @param banned ids that are never to be chosen, beside those that the sampling bans
    Edits(Sampling sampling, int vocabulary, int[] banned) {
        Map<Integer, Float> wanted = sampling.logitBias();
        biasedIds = Arrays.copyOf(banned, banned.length + wanted.size());
        biases = new float[biasedIds.length];
        Arrays.fill(biases, 0, banned.length, Float.NEGATIVE_INFINITY);
        int i = banned.length;
        for (Map.Entry<Integer, Float> bias : wanted.entrySet()) {
            biasedIds[i] = bias.getKey();
            biases[i++] = bias.getValue();
        }
        for (int id : biasedIds) {
            if (id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException("logitBias: expected ids below " + vocabulary + ", the model's vocabulary, found " + id);
            }
        }
        repeat = sampling.repeatPenalty();
        frequency = sampling.frequencyPenalty();
        presence = sampling.presencePenalty();
        window = repeat == 1 && frequency == 0 && presence == 0 ? 0 : sampling.repeatLastTokens();
        counts = new int[window == 0 ? 0 : vocabulary];
    }

    /// Whether there is anything to do, now or later.
    boolean isNeeded() {
        return biasedIds.length > 0 || window != 0;
    }

    /// Takes a token into the window.
    void accept(int id) {
        if (window == 0) return;
        if (window > 0) {
            if (ringSize == window) {
                counts[ring[oldest]]--;
                ring[oldest] = id;
                oldest = oldest + 1 == window ? 0 : oldest + 1;
            } else {
                if (ringSize == ring.length) ring = Arrays.copyOf(ring, (int) Math.min(window, 64L + 2L * ringSize));
                ring[ringSize++] = id;
            }
        }
        if (counts[id] == 0) {
            if (seenSize == seen.length) seen = Arrays.copyOf(seen, (int) Math.min(counts.length, 64L + 2L * seenSize));
            seen[seenSize++] = id;
            counts[id] = 1;
        }
        counts[id]++;
    }

    /// Edits one logit for each token of the vocabulary, from `scores[0]` on.
    void apply(float[] scores) {
        for (int i = 0; i < biasedIds.length; i++) {
            int id = biasedIds[i];
            if (!Float.isNaN(scores[id]) && biases[i] == Float.NEGATIVE_INFINITY) scores[id] = Float.NEGATIVE_INFINITY;
            else if (Float.isFinite(scores[id])) scores[id] = finite((double) scores[id] + biases[i]);
        }
        int kept = 0;
        for (int i = 0; i < seenSize; i++) {
            int id = seen[i];
            int count = counts[id] - 1;
            if (count == 0) { // it left the window since
                counts[id] = 0;
                continue;
            }
            seen[kept++] = id;
            if (!Float.isFinite(scores[id])) continue;
            double score = scores[id] > 0 ? scores[id] / repeat : scores[id] * repeat;
            scores[id] = finite(score - count * frequency - presence);
        }
        seenSize = kept;
    }

    private static float finite(double score) {
        return (float) Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, score));
    }
}
