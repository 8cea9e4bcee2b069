package io.github.kvern.engine.text;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.UnsupportedModelException;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;

/// The tokens of a model as its file spells them, their kinds, and the way from a spelling to its id. Immutable.
///
/// The index is a table of `hash, id` in one `long[]`: no object for a token but its string. The hash is a polynomial, so that the
/// hash of a part of a text follows from two prefix hashes, and its base is chosen at random, so that no file can be written whose
/// tokens all collide.
public final class Vocabulary {
    static final String PREFIX = "tokenizer.ggml.";
    private static final long FREE = -1;

    private final String source;
    private final Metadata metadata;
    private final List<String> texts;
    private final byte[] kinds;
    private final String model;
    private final long[] slots;
    private final int shift;
    private final int base = ThreadLocalRandom.current().nextInt() | 1;
    private final int longest;

    private Vocabulary(Metadata metadata, String source) {
        this.metadata = metadata;
        this.source = source;
        this.model = metadata.requireString(PREFIX + "model");
        if (!Pieces.MODELS.contains(model))
            throw new UnsupportedModelException(
                    "%s: key \"%smodel\": a vocabulary of kind %s is not supported; supported are %s".formatted(source,
                            PREFIX, quote(model), String.join(", ", Pieces.MODELS)));
        this.texts = metadata.requireStrings(PREFIX + "tokens");
        int n = texts.size();
        if (n == 0) throw wrong("tokens", "at least one token", "none");
        this.kinds = metadata.findInts(PREFIX + "token_type").map(this::kinds).orElseGet(this::guess);
        this.slots = new long[Integer.highestOneBit(Math.max(8, n)) * 4];
        this.shift = Integer.numberOfLeadingZeros(slots.length) + 1;
        this.longest = index();
    }

    /// Reads tokens and types.
    ///
    /// @param source what messages call the file
    /// @throws ModelFormatException if a key is missing or does not fit the others
    /// @throws UnsupportedModelException if it is a kind of vocabulary we do not know
    public static Vocabulary read(Metadata metadata, String source) {
        return new Vocabulary(metadata, source);
    }

    /// Enters all tokens into the table; the length in `char`s of the longest.
    private int index() {
        Arrays.fill(slots, FREE);
        int most = 0;
        for (int id = 0; id < texts.size(); id++) {
            String text = texts.get(id);
            if (text.isEmpty()) continue; // some converters leave holes so
            int hash = hash(text, 0, text.length());
            int same = find(text, 0, text.length(), hash);
            if (same >= 0) throw wrong("tokens", "every token once", quote(text) + " as token " + same + " and as token " + id);
            int slot = slot(hash);
            while (slots[slot] != FREE) slot = slot + 1 & slots.length - 1;
            slots[slot] = (long) hash << 32 | id;
            most = Math.max(most, text.length());
        }
        return most;
    }

    private byte[] kinds(int[] types) {
        if (types.length != texts.size()) throw wrong("token_type", texts.size() + " values, one for each token", types.length + "");
        byte[] all = new byte[types.length];
        for (int id = 0; id < all.length; id++) {
            all[id] = (byte) (switch (types[id]) {
                case 1 -> TokenKind.NORMAL;
                case 2 -> TokenKind.UNKNOWN;
                case 3 -> TokenKind.CONTROL;
                case 4 -> TokenKind.USER_DEFINED;
                case 0, 5 -> TokenKind.UNUSED;
                case 6 -> TokenKind.BYTE;
                default -> throw wrong("token_type", "numbers from 0 to 6", types[id] + " for token " + id);
            }).ordinal();
            if (types[id] == 6 && ByteAlphabet.value(texts.get(id)) < 0)
                throw wrong("tokens", "byte tokens spelled <0x00> to <0xFF>", quote(texts.get(id)) + " as token " + id);
        }
        return all;
    }

    /// The kinds when the file does not say them: byte tokens are known by their spelling.
    private byte[] guess() {
        byte[] all = new byte[texts.size()];
        for (int id = 0; id < all.length; id++) if (ByteAlphabet.value(texts.get(id)) >= 0) all[id] = (byte) TokenKind.BYTE.ordinal();
        return all;
    }

    /// How many tokens there are.
    public int size() {
        return texts.size();
    }

    /// How the file spells a token.
    public String text(int id) {
        return texts.get(id);
    }

    /// What the file says a token is; NORMAL when it says nothing.
    public TokenKind kind(int id) {
        return TokenKind.of(kinds[id]);
    }

    /// What kind of vocabulary it is, one of [Pieces#MODELS].
    String model() {
        return model;
    }

    /// Everything else the file says.
    Metadata metadata() {
        return metadata;
    }

    /// The length in `char`s of the longest token.
    int longest() {
        return longest;
    }

    /// The id of a token, or -1.
    public int find(String text) {
        return find(text, 0, text.length());
    }

    /// The id of the token spelled by a part of a text, or -1.
    int find(String text, int from, int to) {
        return find(text, from, to, hash(text, from, to));
    }

    /// As [#find(String, int, int)], with the part's hash.
    int find(String text, int from, int to, int hash) {
        for (int slot = slot(hash);; slot = slot + 1 & slots.length - 1) {
            long entry = slots[slot];
            if (entry == FREE) return -1;
            if ((int) (entry >>> 32) != hash) continue;
            String token = texts.get((int) entry);
            if (token.length() == to - from && text.regionMatches(from, token, 0, to - from)) return (int) entry;
        }
    }

    /// The hash of a text that is `c` longer than one with this hash; that of the empty text is 0.
    int hash(int hash, char c) {
        return hash * base + c + 1;
    }

    /// What a prefix's hash is multiplied with before it is subtracted from that of a text `length` longer: powers of the base.
    int[] powers(int length) {
        int[] powers = new int[length + 1];
        powers[0] = 1;
        for (int i = 1; i <= length; i++) powers[i] = powers[i - 1] * base;
        return powers;
    }

    private int hash(String text, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) hash = hash(hash, text.charAt(i));
        return hash;
    }

    private int slot(int hash) {
        return hash * 0x9E3779B9 >>> shift;
    }

    /// The id of a token under a key such as `bos_token_id`, checked to be one.
    OptionalInt special(String key) {
        OptionalInt id = metadata.findInt(PREFIX + key);
        if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= size()))
            throw wrong(key, "a token id from 0 to " + (size() - 1), id.getAsInt() + "");
        return id;
    }

    /// What to throw when a key's value is not right.
    ModelFormatException wrong(String key, String expected, String found) {
        return new ModelFormatException(source + ": key " + quote(PREFIX + key) + ": expected " + expected + ", found " + found);
    }

    /// What messages call the file.
    String source() {
        return source;
    }

    /// A text from the file, fit for a message.
    static String quote(String text) {
        return MetadataValue.of(MetadataType.STRING, text).toString();
    }
}
