package io.github.kvern.engine.text;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// The merges of a byte-level vocabulary: from two neighbouring ids to the rank of their merge, and to the id of what it makes.
/// Immutable.
final class Merges {
    /// The rank of a pair that does not merge; worse than every other.
    static final int NONE = Integer.MAX_VALUE;
    private static final String KEY = "merges";

    private final long[] pairs;
    private final int[] ranks;
    private final int[] products;
    private final long spread = ThreadLocalRandom.current().nextLong() | 1;
    private final int shift;

    private Merges(int count) {
        int capacity = Integer.highestOneBit(Math.max(8, count)) * 4;
        this.pairs = new long[capacity];
        this.ranks = new int[capacity];
        this.products = new int[count];
        this.shift = Long.numberOfLeadingZeros(capacity) + 1;
        Arrays.fill(pairs, -1);
    }

    /// Reads `left right` strings and finds their ids.
    static Merges read(Vocabulary vocabulary) {
        List<String> texts = vocabulary.metadata().requireStrings(Vocabulary.PREFIX + KEY);
        Merges merges = new Merges(texts.size());
        int product = -1;
        for (int rank = 0; rank < merges.products.length; rank++) {
            String text = texts.get(rank);
            int space = text.indexOf(' ');
            if (space <= 0 || space == text.length() - 1 || text.indexOf(' ', space + 1) >= 0)
                throw vocabulary.wrong(KEY, "two tokens with a space between them", Vocabulary.quote(text) + " as merge " + rank);
            int left = vocabulary.find(text, 0, space);
            int right = vocabulary.find(text, space + 1, text.length());
            product = product(vocabulary, text, space, product + 1);
            if (left < 0 || right < 0 || product < 0)
                throw vocabulary.wrong(KEY, "merges of two tokens to a third",
                        Vocabulary.quote(text) + " as merge " + rank + ", of which the "
                                + (left < 0 ? "left" : right < 0 ? "right" : "product") + " is no token");
            merges.products[rank] = product;
            merges.put(left, right, rank);
        }
        return merges;
    }

    /// The token that a merge makes. Most vocabularies list their tokens in the order of their merges, so the one behind the last
    /// product is looked at first: loading is a good part of the time to the first token.
    private static int product(Vocabulary vocabulary, String text, int space, int guess) {
        int length = text.length() - 1;
        if (guess < vocabulary.size()) {
            String token = vocabulary.text(guess);
            if (token.length() == length && token.regionMatches(0, text, 0, space)
                    && token.regionMatches(space, text, space + 1, length - space))
                return guess;
        }
        return vocabulary.find(text.substring(0, space).concat(text.substring(space + 1)));
    }

    /// A pair that is given twice keeps its first, better rank.
    private void put(int left, int right, int rank) {
        long pair = (long) left << 32 | right;
        int slot = slot(pair);
        for (; pairs[slot] != -1; slot = slot + 1 & pairs.length - 1) if (pairs[slot] == pair) return;
        pairs[slot] = pair;
        ranks[slot] = rank;
    }

    /// The rank of the merge of two neighbours, the smaller the earlier; [#NONE] when they do not merge.
    int rank(int left, int right) {
        long pair = (long) left << 32 | right;
        for (int slot = slot(pair);; slot = slot + 1 & pairs.length - 1) {
            long found = pairs[slot];
            if (found == pair) return ranks[slot];
            if (found == -1) return NONE;
        }
    }

    /// The id that the merge of this rank makes.
    int product(int rank) {
        return products[rank];
    }

    /// All ids that merges make.
    BitSet products() {
        BitSet all = new BitSet();
        for (int id : products) all.set(id);
        return all;
    }

    private int slot(long pair) {
        return (int) (pair * spread >>> shift);
    }
}
