package io.github.kvern.moe;

import io.github.kvern.kernels.Ops;
import java.util.Optional;

/// From router scores to the chosen experts and their weights. Stateless, thread-safe, and allocates nothing.
///
/// Of equal scores the lower expert wins. A score that is not a number ranks below all others, and if it must be chosen after all,
/// its weight is not a number either: the fault stays visible in the result.
public final class Router {
    private static final float LEAST_SUM = 0x1p-14f;

    private final RouterSpec spec;
    private final float[] bias;

    /// @param selectionBias one value per expert, added for choosing only, never to the weights
    public Router(RouterSpec spec, Optional<float[]> selectionBias) {
        this.spec = spec;
        bias = selectionBias.map(float[]::clone).orElseGet(() -> new float[0]);
        if (selectionBias.isPresent() && bias.length != spec.experts())
            throw new IllegalArgumentException("a selection bias of " + bias.length + " values for " + spec.experts() + " experts");
    }

    /// Chooses for one token.
    ///
    /// @param scores one per expert from `at` on, from the router's product; overwritten with the gate's values
    /// @param ids takes the chosen experts from `chosenAt` on, best first
    /// @param weights takes their weights likewise
    public void choose(float[] scores, int at, int[] ids, float[] weights, int chosenAt) {
        int experts = spec.experts(), used = spec.used();
        switch (spec.gate()) {
            case SOFTMAX -> Ops.softmax(scores, at, experts);
            case SIGMOID -> {
                for (int e = 0; e < experts; e++) scores[at + e] = Ops.sigmoid(scores[at + e]);
            }
            case SOFTMAX_OF_CHOSEN, SIGMOID_OF_CHOSEN -> {
                // the scores themselves decide
            }
        }
        long groups = spec.groups() > 1 ? bestGroups(scores, at) : 1;
        float last = Float.POSITIVE_INFINITY;
        for (int k = 0, id = -1; k < used; k++) {
            id = next(scores, at, groups, last, id);
            last = choice(scores, at, id);
            ids[chosenAt + k] = id;
            weights[chosenAt + k] = scores[at + id];
        }
        if (spec.gate() == RouterSpec.Gate.SOFTMAX_OF_CHOSEN) Ops.softmax(weights, chosenAt, used);
        if (spec.gate() == RouterSpec.Gate.SIGMOID_OF_CHOSEN)
            for (int k = chosenAt; k < chosenAt + used; k++) weights[k] = Ops.sigmoid(weights[k]);
        if (spec.normalised()) {
            float sum = 0;
            for (int k = 0; k < used; k++) sum += weights[chosenAt + k];
            sum = Math.max(sum, LEAST_SUM);
            for (int k = 0; k < used; k++) weights[chosenAt + k] /= sum;
        }
        if (spec.scale() != 1) for (int k = 0; k < used; k++) weights[chosenAt + k] *= spec.scale();
    }

    /// The next best expert after one with the choice value `last` and the number `id`, in descending order of value, then ascending
    /// order of number: choosing one after the other this way needs no marks.
    private int next(float[] scores, int at, long groups, float last, int id) {
        int size = spec.experts() / spec.groups(), best = -1;
        float most = Float.NEGATIVE_INFINITY;
        for (int g = 0; g < spec.groups(); g++) {
            if ((groups >>> g & 1) == 0) continue;
            for (int e = g * size; e < (g + 1) * size; e++) {
                float c = choice(scores, at, e);
                if ((c < last || c == last && e > id) && (c > most || best < 0)) {
                    most = c;
                    best = e;
                }
            }
        }
        return best;
    }

    /// What decides: the gate's value and the bias.
    private float choice(float[] scores, int at, int expert) {
        float c = bias.length == 0 ? scores[at + expert] : scores[at + expert] + bias[expert];
        return Float.isNaN(c) ? Float.NEGATIVE_INFINITY : c;
    }

    /// The groups that stay, as bits: those with the largest sums of their two largest choice values.
    private long bestGroups(float[] scores, int at) {
        long chosen = 0;
        for (int k = 0; k < spec.groupsUsed(); k++) {
            int best = -1;
            float most = Float.NEGATIVE_INFINITY;
            for (int g = 0; g < spec.groups(); g++) {
                if ((chosen >>> g & 1) != 0) continue;
                float c = groupScore(scores, at, g);
                if (c > most || best < 0) {
                    most = c;
                    best = g;
                }
            }
            chosen |= 1L << best;
        }
        return chosen;
    }

    private float groupScore(float[] scores, int at, int group) {
        int size = spec.experts() / spec.groups();
        float first = Float.NEGATIVE_INFINITY, second = Float.NEGATIVE_INFINITY;
        for (int e = group * size; e < (group + 1) * size; e++) {
            float c = choice(scores, at, e);
            if (c > first) {
                second = first;
                first = c;
            } else if (c > second) {
                second = c;
            }
        }
        return size == 1 ? first : first + second;
    }
}
