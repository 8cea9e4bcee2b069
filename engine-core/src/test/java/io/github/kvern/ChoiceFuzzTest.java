package io.github.kvern;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.kvern.engine.sample.Sampler;

/// Any options of [Sampling] are refused as arguments, or choose from any logits a token that there is, twice the same, or say that there is
/// none to choose.
class ChoiceFuzzTest {
    @FuzzTest(maxDuration = "3m")
    void sampling(FuzzedDataProvider data) {
        int vocabulary = data.consumeInt(1, 40);
        Sampling sampling = Sampling.defaults();
        try {
            for (int n = data.consumeInt(0, 8); n > 0; n--) sampling = changed(sampling, data);
        } catch (IllegalArgumentException e) {
            if (!String.valueOf(e.getMessage()).contains("expected")) throw e;
            return;
        }
        Sampler first, second;
        try {
            first = new Sampler(sampling, vocabulary, sampling.seed().orElse(7), 0);
            second = new Sampler(sampling, vocabulary, sampling.seed().orElse(7), 0);
        } catch (IllegalArgumentException e) {
            return; // a bias outside the vocabulary
        }
        for (int n = data.consumeInt(0, 20); n > 0; n--) {
            int id = data.consumeInt(0, vocabulary - 1);
            first.accept(id);
            second.accept(id);
        }
        float[] logits = new float[vocabulary];
        for (int step = 0; step < 3; step++) {
            for (int i = 0; i < vocabulary; i++)
                logits[i] = data.consumeBoolean() ? data.consumeFloat() : data.consumeRegularFloat(-20, 20);
            int a = choose(first, logits), b = choose(second, logits);
            if (a != b || a >= vocabulary) throw new AssertionError(a + " and " + b);
            if (a < 0) return;
            if (logits[a] == Float.NEGATIVE_INFINITY || sampling.ignoreEndOfText() && a == 0) throw new AssertionError("banned: " + a);
            if (sampling.logProbabilities() && !(first.logProbability() <= 0))
                throw new AssertionError("log-probability " + first.logProbability());
            first.accept(a);
            second.accept(a);
        }
    }

    private static int choose(Sampler sampler, float[] logits) {
        try {
            return sampler.sample(logits.clone(), 0);
        } catch (LogitsException e) {
            return -1;
        }
    }

    private static Sampling changed(Sampling sampling, FuzzedDataProvider data) {
        return switch (data.consumeInt(0, 14)) {
            case 0 -> sampling.temperature(data.consumeFloat());
            case 1 -> sampling.temperature(data.consumeRegularFloat(0, 2));
            case 2 -> sampling.topK(data.consumeInt());
            case 3 -> sampling.topP(data.consumeProbabilityFloat());
            case 4 -> sampling.minP(data.consumeProbabilityFloat());
            case 5 -> sampling.typical(data.consumeProbabilityFloat());
            case 6 -> sampling.topP(data.consumeFloat()).minP(data.consumeFloat()).typical(data.consumeFloat());
            case 7 -> sampling.repeatPenalty(data.consumeFloat());
            case 8 -> sampling.repeatLastTokens(data.consumeInt());
            case 9 -> sampling.frequencyPenalty(data.consumeFloat());
            case 10 -> sampling.presencePenalty(data.consumeFloat());
            case 11 -> sampling.logitBias(data.consumeInt(-1, 45), data.consumeFloat());
            case 12 -> sampling.stop(data.consumeString(4), data.consumeString(4)).maxTokens(data.consumeInt());
            case 13 -> sampling.ignoreEndOfText(data.consumeBoolean());
            default -> sampling.logProbabilities(data.consumeBoolean());
        };
    }
}
