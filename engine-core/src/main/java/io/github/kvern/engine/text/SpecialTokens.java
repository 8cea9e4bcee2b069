package io.github.kvern.engine.text;

import java.util.Arrays;

/// Finds tokens that are recognized in a text as a whole: a tree of their characters in one hash table. Immutable.
public final class SpecialTokens {
    private static final long FREE = -1;

    private long[] keys = new long[64];
    private int[] children = new int[64];
    private int[] tokens = new int[32];
    private int nodes = 1;

    private SpecialTokens() {
        Arrays.fill(keys, FREE);
        Arrays.fill(tokens, -1);
    }

    /// @param vocabulary spells the tokens
    /// @param ids the tokens to find
    public static SpecialTokens of(Vocabulary vocabulary, int[] ids) {
        SpecialTokens all = new SpecialTokens();
        for (int id : ids) all.put(vocabulary.text(id), id);
        return all;
    }

    /// Finds the first token at or behind a place in a text; of several that begin there, the longest.
    ///
    /// @return its place in the upper, its id in the lower half; -1 when there is none
    public long find(String text, int from) {
        if (nodes == 1) return -1;
        for (int start = from; start < text.length(); start++) {
            int token = -1;
            int node = 0;
            for (int i = start; i < text.length(); i++) {
                int slot = slot(node, text.charAt(i));
                if (keys[slot] == FREE) break;
                node = children[slot];
                if (tokens[node] >= 0) token = tokens[node];
            }
            if (token >= 0) return (long) start << 32 | token;
        }
        return -1;
    }

    private void put(String text, int id) {
        int node = 0;
        for (int i = 0; i < text.length(); i++) {
            int slot = slot(node, text.charAt(i));
            if (keys[slot] == FREE) {
                keys[slot] = key(node, text.charAt(i));
                children[slot] = nodes++;
                node = children[slot];
                if (nodes > tokens.length) grow();
            } else {
                node = children[slot];
            }
        }
        if (node != 0) tokens[node] = id; // an empty token is found nowhere
    }

    private void grow() {
        int filled = tokens.length;
        tokens = Arrays.copyOf(tokens, filled * 2);
        Arrays.fill(tokens, filled, tokens.length, -1);
        long[] oldKeys = keys;
        int[] oldChildren = children;
        keys = new long[oldKeys.length * 2];
        children = new int[keys.length];
        Arrays.fill(keys, FREE);
        for (int old = 0; old < oldKeys.length; old++) {
            if (oldKeys[old] == FREE) continue;
            int slot = slot((int) (oldKeys[old] >>> 16), (char) oldKeys[old]);
            keys[slot] = oldKeys[old];
            children[slot] = oldChildren[old];
        }
    }

    private static long key(int node, char c) {
        return (long) node << 16 | c;
    }

    /// Where the child of a node is, or would be. At most half of the table is ever filled.
    private int slot(int node, char c) {
        long key = key(node, c);
        int slot = (int) (key * 0x9E3779B97F4A7C15L >>> Long.numberOfLeadingZeros(keys.length) + 1);
        while (keys[slot] != FREE && keys[slot] != key) slot = slot + 1 & keys.length - 1;
        return slot;
    }
}
