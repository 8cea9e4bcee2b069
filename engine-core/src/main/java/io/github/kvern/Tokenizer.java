package io.github.kvern;

import io.github.kvern.engine.text.Ids;
import io.github.kvern.engine.text.Pieces;
import io.github.kvern.engine.text.Roles;
import io.github.kvern.engine.text.SpecialTokens;
import io.github.kvern.engine.text.TokenKind;
import io.github.kvern.engine.text.Vocabulary;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.Metadata;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// A model's vocabulary: text to token ids and back. Immutable, thread-safe; stays valid after the file is closed.
///
/// The ids are those of the model's own tokenizer, also where llama.cpp gives others. A lone surrogate in a text is taken as U+FFFD.
public final class Tokenizer {
    private final Vocabulary vocabulary;
    private final Pieces pieces;
    private final Roles roles;
    private final SpecialTokens always;
    private final SpecialTokens onRequest;

    private Tokenizer(Vocabulary vocabulary, Pieces pieces) {
        this.vocabulary = vocabulary;
        this.pieces = pieces;
        this.roles = Roles.read(vocabulary, pieces);
        this.always = SpecialTokens.of(vocabulary, roles.tokens(EnumSet.of(TokenKind.USER_DEFINED)));
        this.onRequest = SpecialTokens.of(vocabulary,
                roles.tokens(EnumSet.of(TokenKind.USER_DEFINED, TokenKind.CONTROL, TokenKind.UNKNOWN)));
    }

    /// Reads the vocabulary of a model, of any architecture, also of a file that holds nothing else.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException if the vocabulary is missing or inconsistent
    /// @throws io.github.kvern.gguf.UnsupportedModelException if it is of a kind Kvern does not know, which the message names
    public static Tokenizer of(GgufFile file) {
        return of(file.metadata(), file.paths().getFirst().toString());
    }

    static Tokenizer of(Metadata metadata, String source) {
        Vocabulary vocabulary = Vocabulary.read(metadata, source);
        return new Tokenizer(vocabulary, Pieces.of(vocabulary));
    }

    /// The number of tokens; ids are 0 to `size() - 1`.
    public int size() {
        return vocabulary.size();
    }

    /// The ids of a text; none for an empty one. Never adds the begin token. Text that spells a special token is taken as text, except
    /// for tokens that the vocabulary wants recognized always.
    public int[] encode(String text) {
        return encode(text, false);
    }

    /// The ids of a text. Never adds the begin token.
    ///
    /// @param parseSpecial whether text that spells a control token becomes that token: only for text that you trust
    public int[] encode(String text, boolean parseSpecial) {
        SpecialTokens special = parseSpecial ? onRequest : always;
        String clean = withoutLoneSurrogates(text);
        Ids ids = new Ids();
        boolean first = true;
        for (int at = 0; at < clean.length();) {
            long found = special.find(clean, at);
            int end = found < 0 ? clean.length() : (int) (found >>> 32);
            if (end > at) pieces.encode(clean.substring(at, end), first, ids);
            first = found >= 0;
            at = end;
            if (first) {
                ids.add((int) found);
                at += vocabulary.text((int) found).length();
            }
        }
        return ids.toArray();
    }

    private static String withoutLoneSurrogates(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) continue;
            if (Character.isSupplementaryCodePoint(text.codePointAt(i))) i++;
            else
                return text.codePoints().map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
        }
        return text;
    }

    /// The ids of a prompt.
    ///
    /// @param begin whether the begin token is put in front, if the model expects one and the text does not have it already
    int[] prompt(String text, boolean begin, boolean parseSpecial) {
        int[] ids = encode(text, parseSpecial);
        if (!begin || !addsBos() || bos().isEmpty() || ids.length > 0 && ids[0] == bos().getAsInt()) return ids;
        int[] withBos = new int[ids.length + 1];
        withBos[0] = bos().getAsInt();
        System.arraycopy(ids, 0, withBos, 1, ids.length);
        return withBos;
    }

    /// The text of some ids, without control tokens.
    ///
    /// @throws IllegalArgumentException if an id is none of the vocabulary
    public String decode(int... ids) {
        return decode(ids, false);
    }

    /// The text of some ids, seen as a whole text: a space that encoding puts in front is taken away. Bytes that are no UTF-8 become
    /// U+FFFD.
    ///
    /// @param special whether control tokens are written out, else they are left out
    /// @throws IllegalArgumentException if an id is none of the vocabulary
    public String decode(int[] ids, boolean special) {
        ByteArrayOutputStream all = new ByteArrayOutputStream(4 * ids.length);
        boolean first = pieces.addsSpace();
        for (int id : ids) {
            byte[] bytes = bytes(id, special);
            if (bytes.length == 0) continue;
            int skip = first && bytes[0] == ' ' ? 1 : 0;
            first = false;
            all.write(bytes, skip, bytes.length - skip);
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    /// Decodes ids that come one by one. A new decoder each time, for one thread.
    ///
    /// @param special whether control tokens are written out, else they are left out
    public TokenDecoder decoder(boolean special) {
        return new TokenDecoder(this, special);
    }

    /// The bytes that a token stands for, perhaps only a part of a character; of a control token those of its name, none for a hole
    /// in the vocabulary. A new array every time.
    ///
    /// @throws IllegalArgumentException if the id is none of the vocabulary
    public byte[] bytes(int id) {
        return bytes(id, true);
    }

    byte[] bytes(int id, boolean special) {
        check(id);
        String text = vocabulary.text(id);
        return switch (roles.kind(id)) {
            case NORMAL -> pieces.bytes(text);
            case USER_DEFINED -> text.getBytes(StandardCharsets.UTF_8);
            case CONTROL, UNKNOWN -> special ? text.getBytes(StandardCharsets.UTF_8) : new byte[0];
            case BYTE -> new byte[] {(byte) Integer.parseInt(text, 3, 5, 16)};
            case UNUSED -> new byte[0];
        };
    }

    /// A token for display: [#bytes(int)] as text, with U+FFFD for parts of characters; a hole in the vocabulary by the name it has.
    ///
    /// @throws IllegalArgumentException if the id is none of the vocabulary
    public String piece(int id) {
        byte[] bytes = bytes(id);
        return bytes.length == 0 ? vocabulary.text(id) : new String(bytes, StandardCharsets.UTF_8);
    }

    /// The token that a text begins with, if there is one.
    public OptionalInt bos() {
        return roles.bos();
    }

    /// The token that ends a text, if there is one.
    public OptionalInt eos() {
        return roles.eos();
    }

    /// Whether the model expects the begin token in front of a text.
    public boolean addsBos() {
        return roles.addsBos();
    }

    /// Whether an answer is over with this token: the end of the text, of a turn or of a message.
    ///
    /// @throws IllegalArgumentException if the id is none of the vocabulary
    public boolean isEndOfGeneration(int id) {
        return roles.ends(check(id));
    }

    /// The tokens that end an answer, ascending.
    public int[] endOfGeneration() {
        return IntStream.range(0, size()).filter(roles::ends).toArray();
    }

    /// Whether a token steers the model and is no text.
    ///
    /// @throws IllegalArgumentException if the id is none of the vocabulary
    public boolean isControl(int id) {
        return roles.kind(check(id)) == TokenKind.CONTROL;
    }

    private int check(int id) {
        if (id < 0 || id >= size())
            throw new IllegalArgumentException("token id " + id + " is none of the vocabulary: expected 0 to " + (size() - 1));
        return id;
    }

    /// The number of tokens and the begin and end token.
    @Override
    public String toString() {
        return "Tokenizer[" + size() + " tokens, bos " + bos() + ", eos " + eos() + "]";
    }
}
