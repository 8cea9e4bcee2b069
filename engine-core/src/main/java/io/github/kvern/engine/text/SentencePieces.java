package io.github.kvern.engine.text;

import io.github.kvern.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// SentencePiece BPE (`tokenizer.ggml.model` is `llama`): spaces become U+2581, and of all neighbours whose joined text is a token
/// those with the best score are joined until none is left. A character that is no token is spelled in byte tokens, or is the
/// unknown token when the vocabulary has no bytes.
public final class SentencePieces implements Pieces {
    private static final char SPACE = '\u2581';
    /// The order of a pair that does not merge: that of no score, because NaN is refused.
    private static final int NONE = Integer.MIN_VALUE;

    private final Vocabulary vocabulary;
    private final int[] orders;
    private final int[] byteIds;
    private final int unknown;
    private final boolean addsSpace;
    private final boolean wordByWord;

    private SentencePieces(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        Metadata metadata = vocabulary.metadata();
        this.orders = orders(vocabulary);
        this.byteIds = byteIds(vocabulary);
        this.unknown = vocabulary.special("unknown_token_id").orElse(vocabulary.kind(0) == TokenKind.UNKNOWN ? 0 : -1);
        if (byteIds.length == 0 && unknown < 0)
            throw vocabulary.wrong("tokens", "byte tokens or an unknown token, for text that is in no token", "neither");
        this.addsSpace = metadata.findBoolean(Vocabulary.PREFIX + "add_space_prefix").orElse(true);
        this.wordByWord = !spansWords(vocabulary);
    }

    /// Reads scores and options.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException if a key is missing or does not fit the tokens
    public static SentencePieces read(Vocabulary vocabulary) {
        return new SentencePieces(vocabulary);
    }

    /// Numbers that sort as the scores do, best first, by id.
    private static int[] orders(Vocabulary vocabulary) {
        float[] scores = vocabulary.metadata().findFloats(Vocabulary.PREFIX + "scores")
                .orElseThrow(() -> vocabulary.wrong("scores", "a score for each token", "no such key"));
        if (scores.length != vocabulary.size())
            throw vocabulary.wrong("scores", vocabulary.size() + " values, one for each token", scores.length + "");
        int[] orders = new int[scores.length];
        for (int id = 0; id < orders.length; id++) {
            if (Float.isNaN(scores[id])) throw vocabulary.wrong("scores", "numbers", "NaN for token " + id);
            int bits = Float.floatToIntBits(scores[id] + 0f); // -0 is 0
            orders[id] = ~(bits ^ bits >> 31 & Integer.MAX_VALUE);
        }
        return orders;
    }

    /// The token of each byte, or an empty array when the vocabulary has no byte tokens at all.
    private static int[] byteIds(Vocabulary vocabulary) {
        int[] ids = new int[256];
        Arrays.fill(ids, -1);
        for (int id = 0; id < vocabulary.size(); id++)
            if (vocabulary.kind(id) == TokenKind.BYTE) ids[ByteAlphabet.value(vocabulary.text(id))] = id;
        if (Arrays.stream(ids).allMatch(id -> id < 0)) return new int[0];
        for (int b = 0; b < 256; b++)
            if (ids[b] < 0) throw vocabulary.wrong("tokens", "a token for every byte", "none spelled <0x%02X>".formatted(b));
        return ids;
    }

    /// Whether a token holds a space behind something else. When none does, nothing merges across the beginning of a word, and
    /// words can be worked on one by one, with the same result.
    private static boolean spansWords(Vocabulary vocabulary) {
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.text(id);
            for (int i = 1; i < text.length(); i++) if (text.charAt(i) == SPACE && text.charAt(i - 1) != SPACE) return true;
        }
        return false;
    }

    @Override
    public void encode(String text, boolean first, Ids ids) {
        String marked = (addsSpace && first ? " " + text : text).replace(' ', SPACE);
        Merging merging = new Merging(marked, ids);
        int from = 0;
        for (int i = 1; i < marked.length() && wordByWord; i++) {
            if (marked.charAt(i) != SPACE || marked.charAt(i - 1) == SPACE) continue;
            merging.merge(from, i);
            from = i;
        }
        merging.merge(from, marked.length());
    }

    @Override
    public byte[] bytes(String text) {
        return text.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }

    /// An end marker among the pieces is a mistake of who made the file: sentencepiece itself never makes one.
    @Override
    public boolean makes(int id) {
        return false;
    }

    @Override
    public boolean addsSpace() {
        return addsSpace;
    }

    @Override
    public boolean addsBos() {
        return true;
    }

    /// The work on one text. A symbol is known by the place of its first `char`; it ends where the next begins.
    private final class Merging {
        private final String text;
        private final Ids ids;
        private final int[] hashes;
        private final int[] powers;
        private final int[] next;
        private final int[] previous;
        /// The order of the merge of the symbol here with the next one.
        private final int[] best;
        private final MergeQueue queue = new MergeQueue();
        private boolean afterUnknown;

        Merging(String text, Ids ids) {
            this.text = text;
            this.ids = ids;
            int n = text.length();
            this.hashes = new int[n + 1];
            for (int i = 0; i < n; i++) hashes[i + 1] = vocabulary.hash(hashes[i], text.charAt(i));
            this.powers = vocabulary.powers(Math.min(n, vocabulary.longest()));
            this.next = new int[n];
            this.previous = new int[n];
            this.best = new int[n];
        }

        /// Adds the ids of a part of the text, seen as a text of its own.
        void merge(int from, int to) {
            for (int i = from, before = -1; i < to; i = next[i]) {
                next[i] = i + Character.charCount(text.codePointAt(i));
                previous[i] = before;
                before = i;
            }
            for (int i = from; i < to; i = next[i]) offer(i, to);
            while (!queue.isEmpty()) {
                long entry = queue.take();
                int at = (int) entry;
                if (best[at] != (int) (entry >> 32)) continue; // one of the two was merged since
                int gone = next[at];
                best[gone] = NONE;
                next[at] = next[gone];
                if (next[at] < to) previous[next[at]] = at;
                offer(at, to);
                if (previous[at] >= 0) offer(previous[at], to);
            }
            for (int i = from; i < to; i = next[i]) emit(i, next[i]);
        }

        /// Notes how good it would be to merge the symbol here with the next.
        private void offer(int at, int to) {
            best[at] = NONE;
            if (next[at] == to) return;
            int id = find(at, next[next[at]]);
            if (id < 0) return;
            best[at] = orders[id];
            queue.add(orders[id], at);
        }

        /// The piece spelled by a part of the text, or -1. Control tokens, the unknown token and bytes are no pieces: text cannot
        /// spell them.
        private int find(int from, int to) {
            int length = to - from;
            if (length >= powers.length) return -1;
            int id = vocabulary.find(text, from, to, hashes[to] - hashes[from] * powers[length]);
            if (id < 0) return -1;
            return switch (vocabulary.kind(id)) {
                case NORMAL, USER_DEFINED, UNUSED -> id;
                case UNKNOWN, CONTROL, BYTE -> -1;
            };
        }

        private void emit(int from, int to) {
            int id = find(from, to);
            if (id >= 0) {
                ids.add(id);
            } else if (byteIds.length > 0) {
                for (byte b : text.substring(from, to).getBytes(StandardCharsets.UTF_8)) ids.add(byteIds[b & 0xFF]);
            } else if (!afterUnknown) {
                ids.add(unknown); // once for all in a row
            }
            afterUnknown = id < 0;
        }
    }
}
