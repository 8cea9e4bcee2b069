package io.github.kvern.engine.sample;

/// The tokens that may still be drawn. It is filled with [#collect], made smaller by the filters, and drawn from. All sums are taken in
/// double precision and in the order of the list, so they have one result.
///
/// A candidate is one number, so that many can be compared and moved quickly: the smaller, the better.
///
/// ```
///  63                            32 31                             0
/// ┌────────────────────────────────┬────────────────────────────────┐
/// │ logit, as bits, falling        │ token id, rising               │
/// └────────────────────────────────┴────────────────────────────────┘
/// ```
final class Candidates {
    /// How many are sorted first when a filter reads them in order; it rarely needs more.
    private static final int FIRST = 64;

    private final int vocabulary;
    private final int limit;
    private final long[] keys;
    private final double[] weights;
    private float[] scores = {};
    private int base;
    private int size;
    /// The first so many are sorted and better than the rest.
    private int ordered;
    /// Some logit is infinite: only such tokens are here, all alike.
    private boolean flat;

    /// @param vocabulary how many logits there are at a time
    /// @param topK how many of them become candidates; 0: all
    Candidates(int vocabulary, int topK) {
        this.vocabulary = vocabulary;
        limit = topK == 0 ? vocabulary : Math.min(topK, vocabulary);
        // Beside the best so far there is room for some more, so that the worst are thrown out seldom.
        keys = new long[(int) Math.min(vocabulary, 2L * limit + 256)];
        weights = new double[limit];
    }

    /// Begins anew with the best logits: without a limit all that are not negative infinity, in the order of their ids, else the
    /// likeliest, best first. If one is positive infinity, only those that are.
    ///
    /// @param scores logits; kept until the draw
    /// @param base where the first one is
    /// @return how many there are; -1 if a logit is not a number
    int collect(float[] scores, int base) {
        this.scores = scores;
        this.base = base;
        size = 0;
        ordered = 0;
        flat = false;
        float worst = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < vocabulary; id++) {
            float score = scores[base + id];
            if (!(score <= worst)) { // better, or NaN; one that equals the worst has a higher id
                if (Float.isNaN(score)) return -1;
                if (size == keys.length) {
                    Smallest.select(keys, 0, size, limit);
                    size = limit;
                    worst = score(keys[limit - 1]);
                    if (score <= worst) continue;
                }
                keys[size++] = key(score, id);
            }
        }
        if (limit < vocabulary) {
            if (size > limit) {
                Smallest.select(keys, 0, size, limit);
                size = limit;
            }
            order(size);
        }
        if (size > 0 && max() == Double.POSITIVE_INFINITY) {
            keepFrom(Double.POSITIVE_INFINITY);
            flat = true;
        }
        return size;
    }

    /// Keeps those whose surprise is nearest to the entropy, until their probabilities sum up to at least `mass`; at a tie of the
    /// distances (compared as floats) the lower id.
    void typical(double mass) {
        double max = max();
        double total = weigh(max, 1);
        double logTotal = StrictMath.log(total);
        double entropy = 0;
        for (int i = 0; i < size; i++) entropy += weights[i] / total * (logTotal - (value(i) - max));
        for (int i = 0; i < size; i++) {
            double distance = Math.abs(logTotal - (value(i) - max) - entropy);
            keys[i] = key((float) -distance, id(i));
        }
        ordered = 0;
        double sum = 0;
        int kept = 0;
        while (kept < size && (kept == 0 || sum < mass * total)) {
            orderOneMore(kept);
            double value = flat ? 0 : scores[base + id(kept)]; // the key holds the distance now
            sum += Exponential.of(value - max);
            kept++;
        }
        size = kept;
        for (int i = 0; i < size; i++) keys[i] = key(scores[base + id(i)], id(i));
        ordered = 0;
    }

    /// Keeps the fewest of the likeliest whose probabilities sum up to at least `mass`.
    ///
    /// @param mass below 1
    void topP(double mass) {
        double max = max();
        double total = weigh(max, 1);
        // Together the ones below this limit are less than half of what is not kept: the linear pass leaves few to be put in order.
        if (ordered < size) keepFrom(max + StrictMath.log(0.5 * (1 - mass) * total / size));
        double sum = 0;
        int kept = 0;
        while (kept < size && (kept == 0 || sum < mass * total)) {
            orderOneMore(kept);
            sum += Exponential.of(value(kept++) - max);
        }
        size = kept;
        ordered = Math.min(ordered, size);
    }

    /// Keeps those at least as likely as a part of the likeliest.
    ///
    /// @param logPart natural logarithm of the part: 0 or less
    void minP(double logPart) {
        keepFrom(max() + logPart);
    }

    /// Draws one with probability `∝ exp(logit / temperature)`.
    ///
    /// @param temperature above 0
    /// @param u evenly distributed, from 0 to below 1
    /// @return its id
    int draw(double temperature, double u) {
        double target = u * weigh(max(), temperature);
        double sum = 0;
        int last = 0;
        for (int i = 0; i < size; i++) {
            if (weights[i] == 0) continue;
            last = i;
            sum += weights[i];
            if (sum > target) break;
        }
        return id(last);
    }

    /// How many there are.
    int size() {
        return size;
    }

    /// The id of one of them.
    int id(int i) {
        return (int) keys[i];
    }

    /// Writes each one's `exp((logit - max) / temperature)` to its weight.
    ///
    /// @return their sum: 1 or more
    private double weigh(double max, double temperature) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            weights[i] = Exponential.of((value(i) - max) / temperature);
            sum += weights[i];
        }
        return sum;
    }

    private void keepFrom(double lowest) {
        int kept = 0;
        int keptOrdered = 0;
        for (int i = 0; i < size; i++) {
            if (value(i) >= lowest) {
                keys[kept++] = keys[i];
                if (i < ordered) keptOrdered = kept;
            }
        }
        size = kept;
        ordered = keptOrdered;
    }

    private void orderOneMore(int place) {
        if (place == ordered) order(Math.min(size, Math.max(FIRST, 4 * ordered)));
    }

    private void order(int until) {
        if (until <= ordered) return;
        if (until < size) Smallest.select(keys, ordered, size, until);
        Smallest.sort(keys, ordered, until);
        ordered = until;
    }

    private double max() {
        if (ordered > 0) return value(0);
        double max = value(0);
        for (int i = 1; i < size; i++) max = Math.max(max, value(i));
        return max;
    }

    private double value(int i) {
        return flat ? 0 : score(keys[i]);
    }

    private static long key(float score, int id) {
        int bits = Float.floatToRawIntBits(score + 0f); // no negative zero: the two zeros are a tie
        return (long) ~(bits ^ bits >> 31 & 0x7FFFFFFF) << 32 | id;
    }

    private static float score(long key) {
        int bits = ~(int) (key >>> 32);
        return Float.intBitsToFloat(bits ^ bits >> 31 & 0x7FFFFFFF);
    }
}
