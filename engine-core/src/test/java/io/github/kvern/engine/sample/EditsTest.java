package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.Sampling;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EditsTest {
    private static final float NEVER = Float.NEGATIVE_INFINITY;
    private static final float ALWAYS = Float.POSITIVE_INFINITY;
    private static final float MAX = Float.MAX_VALUE;
    private static final Sampling NONE = Sampling.defaults();

    @Test
    void biases() {
        Sampling sampling = NONE.logitBias(Map.of(0, 1.5f, 1, -1.5f, 2, NEVER, 3, 2f));
        assertArrayEquals(new float[] {2.5f, -0.5f, NEVER, NEVER, NEVER}, edited(edits(sampling, 5, 4), 1, 1, 1, NEVER, 1));
    }

    @Test
    void biasesMakeNoInfinities() {
        Sampling sampling = NONE.logitBias(Map.of(0, MAX, 1, -MAX, 2, NEVER, 3, -1f, 4, NEVER));
        assertArrayEquals(new float[] {MAX, -MAX, NEVER, ALWAYS, Float.NaN},
                edited(edits(sampling, 5), MAX, -MAX, ALWAYS, ALWAYS, Float.NaN));
    }

    @Test
    void repeatPenaltyDividesOrMultiplies() {
        Edits edits = edits(NONE.repeatPenalty(2), 5, new int[0]);
        accept(edits, 0, 1, 1, 1, 2, 3);
        assertArrayEquals(new float[] {2, -6, 0, NEVER, 4}, edited(edits, 4, -3, 0, NEVER, 4));
    }

    @Test
    void frequencyCountsAndPresenceDoesNot() {
        Edits frequency = edits(NONE.frequencyPenalty(0.5f), 4);
        accept(frequency, 0, 1, 1, 1);
        assertArrayEquals(new float[] {3.5f, 2.5f, 4, 4}, edited(frequency, 4, 4, 4, 4));
        Edits presence = edits(NONE.presencePenalty(-0.5f), 4);
        accept(presence, 0, 1, 1, 1);
        assertArrayEquals(new float[] {4.5f, 4.5f, 4, 4}, edited(presence, 4, 4, 4, 4));
    }

    @Test
    void comesInOrder() {
        Edits edits = edits(NONE.logitBias(0, -6).repeatPenalty(2).frequencyPenalty(0.25f).presencePenalty(1), 1);
        accept(edits, 0, 0);
        assertArrayEquals(new float[] {-5.5f}, edited(edits, 4)); // (4 - 6) * 2 - 2 * 0.25 - 1
    }

    @Test
    void penaltiesMakeNoInfinities() {
        Edits edits = edits(NONE.repeatPenalty(Float.MIN_VALUE).frequencyPenalty(MAX).presencePenalty(MAX), 4);
        accept(edits, 0, 1, 1, 2, 3);
        assertArrayEquals(new float[] {MAX, -MAX, ALWAYS, Float.NaN}, edited(edits, MAX, -MAX, ALWAYS, Float.NaN));
        Edits harder = edits(NONE.repeatPenalty(MAX), 2);
        accept(harder, 0, 1);
        assertArrayEquals(new float[] {1, -MAX}, edited(harder, MAX, -MAX));
    }

    @Test
    void isNotNeededWhenEverythingIsOff() {
        assertFalse(edits(NONE, 4).isNeeded());
        assertFalse(edits(NONE.repeatPenalty(2).repeatLastTokens(0), 4).isNeeded());
        assertTrue(edits(NONE.repeatPenalty(2), 4).isNeeded());
        assertTrue(edits(NONE.presencePenalty(-1), 4).isNeeded());
        assertTrue(edits(NONE.logitBias(1, 1), 4).isNeeded());
        assertTrue(edits(NONE, 4, 3).isNeeded());
    }

    @Test
    void refusesIdsOutsideTheVocabulary() {
        String message = assertThrows(IllegalArgumentException.class, () -> edits(NONE.logitBias(4, 1), 4)).getMessage();
        assertEquals("logitBias: expected ids below 4, the model's vocabulary, found 4", message);
        assertThrows(IllegalArgumentException.class, () -> edits(NONE, 4, -1));
    }

    /// Windows of all sizes, against one that keeps every token and counts anew.
    @Test
    void windowEqualsAPlainReference() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int vocabulary = 1 + random.nextInt(20);
            int window = random.nextInt(-1, 200);
            Edits edits = edits(NONE.frequencyPenalty(1).presencePenalty(0.5f).repeatLastTokens(window), vocabulary);
            Deque<Integer> last = new ArrayDeque<>();
            for (int step = 0; step < 400; step++) {
                int id = random.nextInt(vocabulary);
                edits.accept(id);
                last.addLast(id);
                if (window >= 0 && last.size() > window) last.removeFirst();
                if (random.nextInt(4) > 0) continue;
                float[] expected = new float[vocabulary];
                for (int seen : last) expected[seen] -= expected[seen] == 0 ? 1.5f : 1;
                assertArrayEquals(expected, edited(edits, new float[vocabulary]), "seed " + seed + ", step " + step);
            }
        }
    }

    private static Edits edits(Sampling sampling, int vocabulary, int... banned) {
        return new Edits(sampling, vocabulary, banned);
    }

    private static void accept(Edits edits, int... ids) {
        for (int id : ids) edits.accept(id);
    }

    private static float[] edited(Edits edits, float... scores) {
        edits.apply(scores);
        return scores;
    }
}
