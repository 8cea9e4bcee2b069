package io.github.kvern.engine.text;

import io.github.kvern.gguf.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/// Byte-level BPE (`tokenizer.ggml.model` is `gpt2`): text is cut into words by the vocabulary's [PreTokenizer], a word into its
/// UTF-8 bytes, and then the neighbours with the best merge are joined until none is left.
public final class BytePairs implements Pieces {
    private final Vocabulary vocabulary;
    private final PreTokenizer words;
    private final Merges merges;
    private final BitSet products;
    private final int[] byteIds = new int[256];

    private BytePairs(Vocabulary vocabulary, PreTokenizer words) {
        this.vocabulary = vocabulary;
        this.words = words;
        this.merges = Merges.read(vocabulary);
        this.products = merges.products();
        for (int b = 0; b < 256; b++) {
            byteIds[b] = vocabulary.find(String.valueOf(ByteAlphabet.spell(b)));
            boolean occurs = b != 0xC0 && b != 0xC1 && b < 0xF5; // in UTF-8
            if (byteIds[b] < 0 && occurs)
                throw vocabulary.wrong("tokens", "a token for every byte", "none for byte 0x%02X, which is spelled %s".formatted(b,
                        Vocabulary.quote(String.valueOf(ByteAlphabet.spell(b)))));
            if (byteIds[b] >= 0) products.set(byteIds[b]);
        }
    }

    /// Reads pre-tokenizer and merges.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException if the merges are missing or do not fit the tokens
    /// @throws UnsupportedModelException if the pre-tokenizer is none we know
    public static BytePairs read(Vocabulary vocabulary) {
        Optional<String> pre = vocabulary.metadata().findString(Vocabulary.PREFIX + "pre");
        if (pre.isEmpty())
            LoggerFactory.getLogger(BytePairs.class).warn(
                    "{}: no key \"{}pre\", so words are cut as by \"default\"; if answers look odd, the file needs to be made anew",
                    vocabulary.source(), Vocabulary.PREFIX);
        String name = pre.orElse("default");
        PreTokenizer words = PreTokenizers.find(name).orElseThrow(() -> new UnsupportedModelException(
                "%s: key \"%spre\": pre-tokenizer %s is not supported; supported are %s".formatted(vocabulary.source(), Vocabulary.PREFIX,
                        Vocabulary.quote(name), PreTokenizers.names())));
        return new BytePairs(vocabulary, words);
    }

    @Override
    public void encode(String text, boolean first, Ids ids) {
        String normal = words.normal(text);
        words.split(normal, new Merging(normal, ids)::word);
    }

    @Override
    public byte[] bytes(String text) {
        return ByteAlphabet.bytes(text);
    }

    @Override
    public boolean makes(int id) {
        return products.get(id);
    }

    @Override
    public boolean addsSpace() {
        return false;
    }

    @Override
    public boolean addsBos() {
        return words.addsBos();
    }

    /// The work on one text: buffers, and where words stood that came before.
    private final class Merging {
        /// Words longer than this are merged by a queue; for shorter ones looking at all pairs is faster.
        private static final int SHORT = 32;
        private static final int REMEMBERED = 48;

        private final String text;
        private final Ids ids;
        /// Earlier words by hash, three numbers each: first `char`, first id, and number of ids above number of `char`s.
        private final int[] seen;
        private int[] parts = new int[3 * SHORT];
        private int[] ranks = new int[3 * SHORT];

        Merging(String text, Ids ids) {
            this.text = text;
            this.ids = ids;
            this.seen = new int[3 * Integer.highestOneBit(Math.clamp(text.length() / 4, 16, 1 << 13))];
        }

        void word(int from, int to) {
            int length = to - from;
            if (length > REMEMBERED) {
                merge(from, to);
                return;
            }
            int hash = 0;
            for (int i = from; i < to; i++) hash = hash * 31 + text.charAt(i);
            int slot = 3 * ((hash * 0x9E3779B9 >>> 16) & seen.length / 3 - 1);
            if ((seen[slot + 2] & 0xFFFF) == length && text.regionMatches(from, text, seen[slot], length)) {
                ids.repeat(seen[slot + 1], seen[slot + 2] >>> 16);
                return;
            }
            int start = ids.size();
            merge(from, to);
            seen[slot] = from;
            seen[slot + 1] = start;
            seen[slot + 2] = ids.size() - start << 16 | length;
        }

        private void merge(int from, int to) {
            if (words.takesWhole()) {
                int whole = vocabulary.find(spell(from, to));
                if (whole >= 0 && vocabulary.kind(whole) == TokenKind.NORMAL) {
                    ids.add(whole);
                    return;
                }
            }
            if (parts.length < 3L * (to - from)) {
                parts = new int[Math.multiplyExact(3, to - from)];
                ranks = new int[parts.length];
            }
            int n = bytes(from, to);
            for (int i = 0; i < n; i++) parts[i] = byteIds[parts[i]];
            for (int i = 0; i < n - 1; i++) ranks[i] = merges.rank(parts[i], parts[i + 1]);
            if (n <= SHORT) mergeShort(n);
            else mergeLong(n);
        }

        private void mergeShort(int length) {
            int n = length;
            while (n > 1) {
                int at = 0;
                for (int i = 1; i < n - 1; i++) if (ranks[i] < ranks[at]) at = i;
                if (ranks[at] == Merges.NONE) break;
                parts[at] = merges.product(ranks[at]);
                n--;
                System.arraycopy(parts, at + 2, parts, at + 1, n - at - 1);
                System.arraycopy(ranks, at + 1, ranks, at, n - at - 1);
                if (at < n - 1) ranks[at] = merges.rank(parts[at], parts[at + 1]);
                if (at > 0) ranks[at - 1] = merges.rank(parts[at - 1], parts[at]);
            }
            for (int i = 0; i < n; i++) ids.add(parts[i]);
        }

        private void mergeLong(int n) {
            MergeQueue queue = new MergeQueue();
            int[] next = new int[n];
            int[] previous = new int[n];
            for (int i = 0; i < n; i++) {
                next[i] = i + 1;
                previous[i] = i - 1;
            }
            ranks[n - 1] = Merges.NONE;
            for (int i = 0; i < n - 1; i++) if (ranks[i] != Merges.NONE) queue.add(ranks[i], i);
            while (!queue.isEmpty()) {
                long best = queue.take();
                int at = (int) best;
                if (ranks[at] != (int) (best >>> 32)) continue; // one of the two was merged since
                int gone = next[at];
                parts[at] = merges.product(ranks[at]);
                ranks[gone] = Merges.NONE;
                next[at] = next[gone];
                if (next[at] < n) previous[next[at]] = at;
                rank(at, next[at], n, queue);
                if (previous[at] >= 0) rank(previous[at], at, n, queue);
            }
            for (int i = 0; i < n; i = next[i]) ids.add(parts[i]);
        }

        private void rank(int left, int right, int n, MergeQueue queue) {
            ranks[left] = right < n ? merges.rank(parts[left], parts[right]) : Merges.NONE;
            if (ranks[left] != Merges.NONE) queue.add(ranks[left], left);
        }

        /// The word as the vocabulary would spell it.
        private String spell(int from, int to) {
            byte[] bytes = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
            char[] chars = new char[bytes.length];
            for (int i = 0; i < chars.length; i++) chars[i] = ByteAlphabet.spell(bytes[i] & 0xFF);
            return new String(chars);
        }

        /// Writes the UTF-8 bytes of a part of the text, in which no surrogate is alone, to `parts`.
        private int bytes(int from, int to) {
            int n = 0;
            for (int i = from; i < to; i++) {
                int c = text.charAt(i);
                if (c < 0x80) {
                    parts[n++] = c;
                } else if (c < 0x800) {
                    parts[n++] = 0xC0 | c >> 6;
                    parts[n++] = 0x80 | c & 0x3F;
                } else if (!Character.isSurrogate((char) c)) {
                    parts[n++] = 0xE0 | c >> 12;
                    parts[n++] = 0x80 | c >> 6 & 0x3F;
                    parts[n++] = 0x80 | c & 0x3F;
                } else {
                    int both = Character.toCodePoint((char) c, text.charAt(++i));
                    parts[n++] = 0xF0 | both >> 18;
                    parts[n++] = 0x80 | both >> 12 & 0x3F;
                    parts[n++] = 0x80 | both >> 6 & 0x3F;
                    parts[n++] = 0x80 | both & 0x3F;
                }
            }
            return n;
        }
    }
}
