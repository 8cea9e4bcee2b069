package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.kvern.LogitsException;
import io.github.kvern.Sampling;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Whatever options are given, they are refused with an [IllegalArgumentException] or give a sampler that works: one that chooses a
/// token that is not banned, says its probability, and chooses the same again from the same seed; or that refuses the logits.
class SamplingFuzzTest {
    private static final float[] FLOATS = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, -Float.MAX_VALUE,
            Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, 0f, -0f, 1, -1, Math.nextUp(1f), Math.nextDown(1f), 1e-30f, 1e30f, -1e30f};
    private static final int[] INTS = {Integer.MIN_VALUE, Integer.MAX_VALUE, -2, -1, 0, 1, 2, 63, 64, 65, 1 << 30};
    private static final String[] STRINGS = {"", "a", "\n\n", "\uD800", "\uDC00x", "\uD83D\uDE00", "\0"};

    @Test
    void optionsAreRefusedOrWork() {
        int refused = 0;
        int chosen = 0;
        int unusable = 0;
        for (long seed = 0; seed < 12_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try {
                Sampling sampling = Sampling.defaults();
                for (int i = random.nextInt(8); i > 0; i--) {
                    try {
                        sampling = changed(sampling, random);
                    } catch (IllegalArgumentException e) {
                        assertTrue(e.getMessage().contains(": expected ") && e.getMessage().contains(", found "), e.getMessage());
                        refused++;
                    }
                }
                int vocabulary = 1 + random.nextInt(80);
                int outside = sampling.logitBias().keySet().stream().mapToInt(id -> id).max().orElse(0);
                try {
                    int[] a = tokens(sampling, vocabulary, seed);
                    assertTrue(outside < vocabulary);
                    int[] b = tokens(sampling, vocabulary, seed);
                    for (int i = 0; i < a.length; i++) assertEquals(a[i], b[i]);
                    for (int id : a) {
                        if (id < 0) unusable++;
                        else chosen++;
                    }
                } catch (IllegalArgumentException e) {
                    assertTrue(outside >= vocabulary, e.getMessage());
                    refused++;
                }
            } catch (RuntimeException | AssertionError e) {
                fail("seed " + seed, e);
            }
        }
        assertTrue(refused > 5_000 && chosen > 20_000 && unusable > 1_000, refused + " refused, " + chosen + ", " + unusable);
    }

    private static Sampling changed(Sampling sampling, SplittableRandom random) {
        return switch (random.nextInt(16)) {
            case 0 -> sampling.temperature(number(random));
            case 1 -> sampling.topK(whole(random));
            case 2 -> sampling.topP(number(random));
            case 3 -> sampling.minP(number(random));
            case 4 -> sampling.typical(number(random));
            case 5 -> sampling.repeatPenalty(number(random));
            case 6 -> sampling.repeatLastTokens(whole(random));
            case 7 -> sampling.frequencyPenalty(number(random));
            case 8 -> sampling.presencePenalty(number(random));
            case 9, 10 -> sampling.logitBias(random.nextInt(5) == 0 ? whole(random) : random.nextInt(8), number(random));
            case 11 -> sampling.maxTokens(whole(random));
            case 12 -> sampling.stop(STRINGS[random.nextInt(STRINGS.length)], STRINGS[random.nextInt(STRINGS.length)]);
            case 13 -> sampling.ignoreEndOfText(random.nextBoolean());
            case 14 -> sampling.seed(random.nextLong());
            default -> sampling.logProbabilities(random.nextBoolean());
        };
    }

    /// The ids of some steps; -1 where the logits were refused, rightly.
    private static int[] tokens(Sampling sampling, int vocabulary, long seed) {
        SplittableRandom random = new SplittableRandom(~seed);
        int end = random.nextInt(vocabulary);
        Sampler sampler = new Sampler(sampling, vocabulary, seed, end);
        for (int i = random.nextInt(100); i > 0; i--) sampler.accept(random.nextInt(vocabulary));
        int[] ids = new int[4];
        float[] logits = new float[vocabulary];
        for (int step = 0; step < ids.length; step++) {
            boolean wild = random.nextInt(3) == 0;
            boolean nan = false;
            boolean choice = false;
            for (int i = 0; i < vocabulary; i++) {
                logits[i] = wild && random.nextInt(4) == 0 ? FLOATS[random.nextInt(FLOATS.length)]
                        : (float) (random.nextDouble() * 20 - 10);
                nan |= Float.isNaN(logits[i]);
                choice |= logits[i] > Float.NEGATIVE_INFINITY && !isBanned(sampling, i, end);
            }
            try {
                ids[step] = sampler.sample(logits, 0);
            } catch (LogitsException e) {
                assertTrue(nan || !choice, e.getMessage());
                ids[step] = -1;
                continue;
            }
            assertTrue(!nan && choice && ids[step] >= 0 && ids[step] < vocabulary);
            assertTrue(logits[ids[step]] > Float.NEGATIVE_INFINITY && !isBanned(sampling, ids[step], end));
            if (sampling.logProbabilities()) assertTrue(sampler.logProbability() <= 0, () -> "" + sampler.logProbability());
            sampler.accept(ids[step]);
        }
        return ids;
    }

    private static boolean isBanned(Sampling sampling, int id, int end) {
        return sampling.ignoreEndOfText() && id == end || sampling.logitBias().getOrDefault(id, 0f) == Float.NEGATIVE_INFINITY;
    }

    private static float number(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> FLOATS[random.nextInt(FLOATS.length)];
            case 1 -> Float.intBitsToFloat(random.nextInt());
            default -> (float) (random.nextDouble() * 2.2 - 0.2);
        };
    }

    private static int whole(SplittableRandom random) {
        return random.nextBoolean() ? INTS[random.nextInt(INTS.length)] : random.nextInt(-10, 100);
    }
}
