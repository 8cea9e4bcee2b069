package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CandidatesTest {
    private static final float NEVER = Float.NEGATIVE_INFINITY;
    private static final float ALWAYS = Float.POSITIVE_INFINITY;

    /// Probabilities 0.4, 0.3, 0.2, 0.1 of the ids 2, 0, 3, 1.
    private static final float[] FOUR = logs(0.3, 0.1, 0.4, 0.2);

    @Test
    void keepsTheBest() {
        assertEquals(List.of(0, 1, 2, 3), ids(filled(0, FOUR)));
        assertEquals(List.of(2), ids(filled(1, FOUR)));
        assertEquals(List.of(2, 0), ids(filled(2, FOUR)));
        assertEquals(List.of(2, 0, 3), ids(filled(3, FOUR)));
        assertEquals(List.of(0, 1, 2, 3), ids(filled(4, FOUR)));
        assertEquals(List.of(0, 1, 2, 3), ids(filled(99, FOUR)));
    }

    @Test
    void keepsLowerIdsAtATie() {
        assertEquals(List.of(3, 0, 1), ids(filled(3, 1, 1, 1, 2, 1)));
        assertEquals(List.of(0, 1), ids(filled(2, -0f, 0f, -0f, 0f)));
    }

    @Test
    void leavesOutWhatIsNever() {
        assertEquals(List.of(1, 3), ids(filled(0, NEVER, -3e38f, NEVER, 0)));
        assertEquals(List.of(3, 1), ids(filled(3, NEVER, -3e38f, NEVER, 0)));
        assertEquals(0, new Candidates(2, 0).collect(new float[] {NEVER, NEVER}, 0));
        assertEquals(0, new Candidates(2, 1).collect(new float[] {NEVER, NEVER}, 0));
    }

    @Test
    void keepsOnlyTheInfinite() {
        for (int topK : new int[] {0, 3}) {
            Candidates candidates = filled(topK, 1, ALWAYS, 3e38f, ALWAYS);
            assertEquals(List.of(1, 3), ids(candidates));
            candidates.minP(StrictMath.log(0.9));
            assertEquals(List.of(1, 3), ids(candidates));
            candidates.topP(0.6);
            assertEquals(List.of(1, 3), ids(candidates));
            candidates.typical(0.4);
            assertEquals(List.of(1), ids(candidates));
            candidates = filled(topK, 1, ALWAYS, 3e38f, ALWAYS);
            assertEquals(1, candidates.draw(0.5, 0.49));
            assertEquals(3, candidates.draw(0.5, 0.51));
        }
    }

    @Test
    void findsNumbersThatAreNone() {
        for (int place = 0; place < 600; place++) {
            float[] logits = new float[600];
            logits[5] = ALWAYS;
            logits[place] = Float.NaN;
            assertEquals(-1, new Candidates(600, 0).collect(logits, 0), "place " + place);
            assertEquals(-1, new Candidates(600, 1).collect(logits, 0), "place " + place);
        }
    }

    @Test
    void topP() {
        for (int topK : new int[] {0, 3}) { // of three the shares are 4/9, 3/9, 2/9
            assertEquals(List.of(2), ids(topP(topK, 0)));
            assertEquals(List.of(2), ids(topP(topK, 0.39)));
            assertEquals(List.of(2, 0), ids(topP(topK, 0.69)));
        }
        assertEquals(List.of(2), ids(topP(3, 0.44)));
        assertEquals(List.of(2, 0), ids(topP(0, 0.44)));
        assertEquals(List.of(2, 0), ids(topP(3, 0.77)));
        assertEquals(List.of(2, 0, 3), ids(topP(0, 0.77)));
        assertEquals(List.of(2, 0, 3), ids(topP(0, 0.89)));
        assertEquals(List.of(2, 0, 3, 1), ids(topP(0, 0.91)));
    }

    private static Candidates topP(int topK, double mass) {
        Candidates candidates = filled(topK, FOUR);
        candidates.topP(mass);
        return candidates;
    }

    @Test
    void minP() {
        for (int topK : new int[] {0, 3}) {
            assertEquals(List.of(2), ids(minP(topK, 1)));
            assertEquals(List.of(2), ids(minP(topK, 0.76)));
            assertEquals(topK == 0 ? List.of(0, 2) : List.of(2, 0), ids(minP(topK, 0.74)));
        }
        assertEquals(List.of(0, 2, 3), ids(minP(0, 0.49)));
        assertEquals(List.of(0, 2, 3), ids(minP(0, 0.26)));
        assertEquals(List.of(0, 1, 2, 3), ids(minP(0, 0.24)));
    }

    private static Candidates minP(int topK, double part) {
        Candidates candidates = filled(topK, FOUR);
        candidates.minP(StrictMath.log(part));
        return candidates;
    }

    /// The entropy is 1.2799; the surprises are 0.9163 (0.4), 1.2040 (0.3), 1.6094 (0.2) and 2.3026 (0.1), so the order is 0.3, 0.2,
    /// 0.4, 0.1 at distances 0.0759, 0.3296, 0.3636, 1.0227.
    @Test
    void typical() {
        assertEquals(List.of(0), ids(typical(0, 0)));
        assertEquals(List.of(0), ids(typical(0, 0.29)));
        assertEquals(List.of(0, 3), ids(typical(0, 0.49)));
        assertEquals(List.of(0, 3, 2), ids(typical(0, 0.89)));
        assertEquals(List.of(0, 3, 2, 1), ids(typical(0, 0.91)));
        // Of three: shares 4/9, 3/9, 2/9; entropy 1.0609; distances 0.2499, 0.0377, 0.4432.
        assertEquals(List.of(0, 2), ids(typical(3, 0.5)));
    }

    private static Candidates typical(int topK, double mass) {
        Candidates candidates = filled(topK, FOUR);
        candidates.typical(mass);
        return candidates;
    }

    @Test
    void filtersAfterTypicalSeeTheLogitsAgain() {
        Candidates candidates = typical(0, 0.89); // 0.3, 0.2, 0.4
        candidates.topP(0.7);
        assertEquals(List.of(2, 0), ids(candidates));
        candidates.minP(StrictMath.log(0.8));
        assertEquals(List.of(2), ids(candidates));
    }

    @Test
    void drawsInProportion() {
        Candidates candidates = filled(0, FOUR);
        assertEquals(0, candidates.draw(1, 0));
        assertEquals(0, candidates.draw(1, 0.299));
        assertEquals(1, candidates.draw(1, 0.301));
        assertEquals(2, candidates.draw(1, 0.401));
        assertEquals(2, candidates.draw(1, 0.799));
        assertEquals(3, candidates.draw(1, 0.801));
        assertEquals(3, candidates.draw(1, Math.nextDown(1.0)));
        // Squares 0.09, 0.01, 0.16, 0.04 of 0.3 at half the temperature.
        assertEquals(0, candidates.draw(0.5, 0.299));
        assertEquals(1, candidates.draw(0.5, 0.301));
        assertEquals(2, candidates.draw(0.5, 0.334));
        assertEquals(3, candidates.draw(0.5, 0.868));
        // So cold that only the likeliest has any weight, and so hot that all have the same.
        assertEquals(2, candidates.draw(Float.MIN_VALUE, 0));
        assertEquals(2, candidates.draw(Float.MIN_VALUE, 0.999));
        assertEquals(1, candidates.draw(Float.MAX_VALUE, 0.251));
        assertEquals(3, candidates.draw(Float.MAX_VALUE, 0.751));
    }

    /// Random distributions, many ties among them, against a plain reference that sorts everything.
    @Test
    void equalsAPlainReference() {
        for (long seed = 0; seed < 600; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int vocabulary = 1 + random.nextInt(seed % 20 == 0 ? 20_000 : 600);
            int base = random.nextInt(4);
            float[] logits = new float[base + vocabulary + 2];
            int shape = random.nextInt(4);
            for (int i = 0; i < logits.length; i++) {
                logits[i] = switch (shape) {
                    case 0 -> (float) (random.nextDouble() * 20);
                    case 1 -> random.nextInt(8); // ties
                    case 2 -> i * 0.01f; // ascending
                    default -> random.nextInt(5) == 0 ? NEVER : (float) (random.nextDouble() * 3);
                };
            }
            logits[base] = 1; // never all of them
            int topK = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(random.nextBoolean() ? 50 : vocabulary);
            String where = "seed " + seed + ": vocabulary " + vocabulary + ", shape " + shape + ", topK " + topK;
            List<Integer> expected = new ArrayList<>(
                    IntStream.range(0, vocabulary).filter(i -> logits[base + i] != NEVER).boxed().toList());
            Comparator<Integer> better = Comparator.comparingDouble(i -> -logits[base + i]);
            if (topK != 0 && topK < vocabulary) {
                expected.sort(better);
                expected = expected.subList(0, Math.min(topK, expected.size()));
            }
            Candidates candidates = new Candidates(vocabulary, topK);
            candidates.collect(new float[base + vocabulary], base); // leaves nothing behind
            assertEquals(expected.size(), candidates.collect(logits, base), where);
            assertEquals(expected, ids(candidates), where);

            if (random.nextBoolean()) {
                double mass = random.nextDouble();
                candidates.typical(mass);
                expected = nucleus(expected, logits, base, mass, true);
                assertEquals(expected, ids(candidates), where + ", typical " + mass);
            }
            if (random.nextBoolean()) {
                double mass = random.nextDouble();
                candidates.topP(mass);
                expected = nucleus(expected, logits, base, mass, false);
                assertEquals(expected, ids(candidates), where + ", topP " + mass);
            }
            double part = random.nextDouble();
            candidates.minP(StrictMath.log(part));
            double max = expected.stream().mapToDouble(i -> logits[base + i]).max().orElseThrow();
            expected = expected.stream().filter(i -> logits[base + i] >= max + StrictMath.log(part)).toList();
            assertEquals(expected, ids(candidates), where + ", minP " + part);
            assertTrue(expected.contains(candidates.draw(0.1 + random.nextDouble(), random.nextDouble())), where);
        }
    }

    private static List<Integer> nucleus(List<Integer> from, float[] logits, int base, double mass, boolean typical) {
        double max = from.stream().mapToDouble(i -> logits[base + i]).max().orElseThrow();
        double total = from.stream().mapToDouble(i -> StrictMath.exp(logits[base + i] - max)).sum();
        double logTotal = StrictMath.log(total);
        double entropy = from.stream().mapToDouble(i -> logits[base + i] - max).map(x -> (logTotal - x) * StrictMath.exp(x) / total).sum();
        // Nearly equal distances are a tie for the class under test, which compares floats: the reference rounds a little more.
        Comparator<Integer> order = Comparator.comparingDouble(i -> typical
                ? (float) Math.abs(logTotal - (logits[base + i] - max) - entropy) : -logits[base + i]);
        List<Integer> sorted = new ArrayList<>(from);
        sorted.sort(order.thenComparing(Comparator.naturalOrder()));
        double sum = 0;
        int kept = 0;
        while (kept < sorted.size() && (kept == 0 || sum < mass * total)) sum += StrictMath.exp(logits[base + sorted.get(kept++)] - max);
        return sorted.subList(0, kept);
    }

    private static Candidates filled(int topK, float... logits) {
        Candidates candidates = new Candidates(logits.length, topK);
        assertTrue(candidates.collect(logits, 0) > 0);
        return candidates;
    }

    private static List<Integer> ids(Candidates candidates) {
        return IntStream.range(0, candidates.size()).map(candidates::id).boxed().toList();
    }

    private static float[] logs(double... probabilities) {
        float[] logs = new float[probabilities.length];
        for (int i = 0; i < logs.length; i++) logs[i] = (float) StrictMath.log(probabilities[i]) + 3;
        return logs;
    }
}
