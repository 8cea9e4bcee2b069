package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.LogitsException;
import io.github.kvern.Sampling;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final float NEVER = Float.NEGATIVE_INFINITY;
    private static final float ALWAYS = Float.POSITIVE_INFINITY;
    /// The whole distribution.
    private static final Sampling ALL = Sampling.defaults().temperature(1).topK(0).topP(1).minP(0);

    @Test
    void greedyTakesTheHighestAndTheLowestIdAtATie() {
        assertEquals(2, sample(Sampling.greedy(), 1, 2, 5, 5, -7));
        assertEquals(0, sample(Sampling.greedy(), -0f, 0f));
        assertEquals(1, sample(Sampling.greedy(), NEVER, -Float.MAX_VALUE, NEVER));
        assertEquals(1, sample(Sampling.greedy(), Float.MAX_VALUE, ALWAYS, ALWAYS));
    }

    @Test
    void readsARowAmongOthersAndLeavesItAsItIs() {
        float[] rows = {9, 9, 9, 1, 3, 2, 9, 9, 9};
        for (Sampling sampling : new Sampling[] {Sampling.greedy(), Sampling.greedy().logitBias(0, 1), ALL.topK(1), ALL.minP(1).topK(2)}) {
            assertEquals(1, new Sampler(sampling.logProbabilities(true), 3, 0).sample(rows, 3), sampling::toString);
            assertArrayEquals(new float[] {9, 9, 9, 1, 3, 2, 9, 9, 9}, rows);
        }
    }

    @Test
    void bansAndBiases() {
        assertEquals(1, sample(Sampling.greedy().logitBias(2, NEVER), 1, 2, 3));
        assertEquals(1, sample(Sampling.greedy().logitBias(2, NEVER), 1, 2, ALWAYS));
        assertEquals(0, sample(Sampling.greedy().logitBias(0, 2.5f), 1, 2, 3));
        assertEquals(2, new Sampler(Sampling.greedy(), 3, 0, 2).sample(new float[] {1, 2, 3}, 0));
        assertEquals(1, new Sampler(Sampling.greedy().ignoreEndOfText(true), 3, 0, 2).sample(new float[] {1, 2, 3}, 0));
    }

    @Test
    void penalisesWhatItAccepted() {
        Sampler sampler = new Sampler(Sampling.greedy().repeatPenalty(2).repeatLastTokens(2), 3, 0);
        float[] logits = {4, 3, 2.5f};
        assertEquals(0, sampler.sample(logits, 0));
        assertEquals(0, sampler.sample(logits, 0)); // choosing alone does not accept
        sampler.accept(0);
        assertEquals(1, sampler.sample(logits, 0));
        sampler.accept(1);
        assertEquals(2, sampler.sample(logits, 0));
        sampler.accept(2);
        assertEquals(0, sampler.sample(logits, 0)); // it has left the window
    }

    @Test
    void greedyDoesNotFilter() {
        assertEquals(0, sample(Sampling.greedy().typical(0.1f), 2, 1, 1, 1)); // typical sampling would leave 0 out
        assertTrue(sample(Sampling.defaults().typical(0.1f), 2, 1, 1, 1) != 0);
    }

    @Test
    void filtersLeaveTheirTokensOnly() {
        float[] logits = {(float) Math.log(0.3), (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.2)};
        assertEquals(0b1111, seen(ALL, logits));
        assertEquals(0b0101, seen(ALL.topK(2), logits));
        assertEquals(0b0101, seen(ALL.topP(0.69f), logits));
        assertEquals(0b1101, seen(ALL.minP(0.49f), logits));
        assertEquals(0b1001, seen(ALL.typical(0.49f), logits));
        assertEquals(0b0001, seen(ALL.topK(3).typical(0.3f).topP(0.5f), logits));
        assertEquals(0b0100, seen(Sampling.greedy(), logits));
        assertEquals(0b1011, seen(ALL.logitBias(2, NEVER), logits));
    }

    private static int seen(Sampling sampling, float... logits) {
        Sampler sampler = new Sampler(sampling, logits.length, 1);
        int seen = 0;
        for (int i = 0; i < 300; i++) seen |= 1 << sampler.sample(logits, 0);
        return seen;
    }

    /// Chi-square over eight tokens: with seven degrees of freedom 24.3 is passed by one seed in a thousand, and this seed is fixed.
    @Test
    void drawsTheSoftmax() {
        float[] logits = {0, 1, -1, 2, 0.5f, -2, 1.5f, NEVER, -0.5f};
        for (float temperature : new float[] {0.5f, 1, 2}) {
            double[] expected = new double[logits.length];
            double total = 0;
            for (int i = 0; i < logits.length; i++) total += expected[i] = Math.exp(logits[i] / temperature);
            Sampler sampler = new Sampler(ALL.temperature(temperature), logits.length, 2024);
            int draws = 100_000;
            int[] counts = new int[logits.length];
            for (int i = 0; i < draws; i++) counts[sampler.sample(logits, 0)]++;
            assertEquals(0, counts[7]);
            double chiSquare = 0;
            for (int i = 0; i < logits.length; i++) {
                double mean = draws * expected[i] / total;
                if (mean > 0) chiSquare += (counts[i] - mean) * (counts[i] - mean) / mean;
            }
            assertTrue(chiSquare < 24.3 && chiSquare > 0.6, "temperature " + temperature + ": " + chiSquare);
        }
    }

    /// These ids come out for ever: whoever changes them changes every seeded text. They were worked out by a second program, in another
    /// language.
    @Test
    void aSeedGivesTheSameTokensForEver() {
        assertArrayEquals(new int[] {434, 844, 562, 280, 514, 220, 278, 37, 136, 927, 252, 433, 978, 508, 877, 161},
                tokens(Sampling.defaults(), 42));
        assertArrayEquals(new int[] {94, 381, 692, 919, 989, 777, 712, 859, 770, 575, 674, 281, 802, 327, 708, 867},
                tokens(ALL, 42));
        assertArrayEquals(new int[] {499, 53, 439, 861, 690, 68, 278, 794, 582, 857, 985, 949, 462, 45, 525, 226},
                tokens(ALL.typical(0.9f).topP(0.99f).repeatPenalty(1.3f), -1));
    }

    @Test
    void seedsMatter() {
        assertArrayEquals(tokens(ALL, 5), tokens(ALL, 5));
        assertTrue(!Arrays.equals(tokens(ALL, 5), tokens(ALL, 6)));
    }

    private static int[] tokens(Sampling sampling, long seed) {
        int vocabulary = 1000;
        Sampler sampler = new Sampler(sampling, vocabulary, seed);
        float[] logits = new float[vocabulary];
        int[] tokens = new int[16];
        for (int t = 0; t < tokens.length; t++) {
            for (int i = 0; i < vocabulary; i++) logits[i] = ((t * 7919 + i * 104729) % 1601 - 800) / 100f;
            tokens[t] = sampler.sample(logits, 0);
            sampler.accept(tokens[t]);
        }
        return tokens;
    }

    @Test
    void logProbabilityIsTheModels() {
        float[] logits = {(float) Math.log(0.3) + 5, (float) Math.log(0.1) + 5, (float) Math.log(0.4) + 5, (float) Math.log(0.2) + 5};
        Sampling biased = Sampling.defaults().temperature(9).topK(1).logitBias(2, NEVER).presencePenalty(9).logProbabilities(true);
        Sampler sampler = new Sampler(biased, 4, 0);
        assertEquals(0, sampler.sample(logits, 0));
        assertEquals(Math.log(0.3), sampler.logProbability(), 1e-6);
        sampler.accept(0);
        assertEquals(3, sampler.sample(logits, 0));
        assertEquals(Math.log(0.2), sampler.logProbability(), 1e-6);
    }

    @Test
    void logProbabilityAtTheEnds() {
        assertEquals(0, logProbability(Sampling.greedy(), 5));
        assertEquals(0, logProbability(Sampling.greedy(), NEVER, -1e30f));
        assertEquals((float) Math.log(0.5), logProbability(Sampling.greedy(), ALWAYS, 3, ALWAYS));
        assertEquals(NEVER, logProbability(Sampling.greedy().logitBias(0, NEVER), ALWAYS, 3));
        assertEquals(-2e38f, logProbability(Sampling.greedy().logitBias(0, NEVER), 1e38f, -1e38f));
        float[] many = new float[200_000];
        assertEquals((float) -Math.log(200_000), logProbability(Sampling.greedy(), many));
    }

    private static float logProbability(Sampling sampling, float... logits) {
        Sampler sampler = new Sampler(sampling.logProbabilities(true), logits.length, 0);
        sampler.sample(logits, 0);
        return sampler.logProbability();
    }

    @Test
    void logProbabilityAtAWrongMoment() {
        Sampler early = new Sampler(Sampling.greedy().logProbabilities(true), 1, 0);
        assertThrows(IllegalStateException.class, early::logProbability);
        Sampler unasked = new Sampler(Sampling.greedy(), 1, 0);
        unasked.sample(new float[1], 0);
        assertThrows(IllegalStateException.class, unasked::logProbability);
    }

    @Test
    void refusesLogitsThatAreNotNumbers() {
        for (Sampling sampling : new Sampling[] {Sampling.greedy(), Sampling.defaults(), ALL, Sampling.greedy().logitBias(1, NEVER),
                Sampling.defaults().repeatPenalty(2)}) {
            Sampler sampler = new Sampler(sampling, 3, 0);
            sampler.accept(1);
            sampler.accept(1);
            String nan = assertThrows(LogitsException.class, () -> sampler.sample(new float[] {0, 1, 2, Float.NaN, 9}, 2)).getMessage();
            assertTrue(nan.startsWith("the model's logits are not numbers at position 2: NaN for token 1;"), nan);
            String never = assertThrows(LogitsException.class, () -> sampler.sample(new float[] {NEVER, NEVER, NEVER}, 0)).getMessage();
            assertTrue(never.startsWith("the model's logits are not numbers at position 2: all are negative infinity;"), never);
            assertEquals(2, sampler.sample(new float[] {NEVER, NEVER, 1}, 0)); // and goes on with good ones
        }
        Sampler banned = new Sampler(Sampling.defaults().ignoreEndOfText(true).logitBias(0, NEVER), 2, 0, 1);
        String message = assertThrows(LogitsException.class, () -> banned.sample(new float[] {1, 2}, 0)).getMessage();
        assertTrue(message.startsWith("no token is left to choose at position 0: logitBias or ignoreEndOfText bans"), message);
    }

    @Test
    void refusesWrongArguments() {
        assertThrows(IllegalArgumentException.class, () -> new Sampler(ALL, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Sampler(ALL.logitBias(3, 1), 3, 0));
        Sampler sampler = new Sampler(ALL, 3, 0);
        assertThrows(IllegalArgumentException.class, () -> sampler.sample(new float[3], 1));
        assertThrows(IllegalArgumentException.class, () -> sampler.sample(new float[3], -1));
        assertThrows(IllegalArgumentException.class, () -> sampler.sample(new float[2], 0));
        assertThrows(IllegalArgumentException.class, () -> sampler.accept(3));
        assertThrows(IllegalArgumentException.class, () -> sampler.accept(-1));
    }

    private static int sample(Sampling sampling, float... logits) {
        return new Sampler(sampling, logits.length, 0).sample(logits, 0);
    }
}
