package io.github.kvern.engine.text;

import java.util.BitSet;
import java.util.OptionalInt;
import java.util.Set;

/// What tokens are for: which begin and end a text, which steer the model. Immutable.
///
/// Files often store a wrong type for the token that ends an answer. So a token that spells a well-known end marker is a control
/// token and ends an answer, unless it is a piece that ordinary text can be made of.
public final class Roles {
    private static final Set<String> END_MARKERS = Set.of("<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|im_end|>", "<|end|>",
            "<|return|>",
            "<|call|>", "<|calls|>", "<|flush|>", "<end_of_turn>", "<turn|>", "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<EOT>",
            "_<EOT>", "[EOT]", "[EOS]", "<end_of_utterance>", "<｜end▁of▁sentence｜>");

    private final byte[] kinds;
    private final BitSet ends = new BitSet();
    private final OptionalInt bos;
    private final OptionalInt eos;
    private final boolean addsBos;

    private Roles(Vocabulary vocabulary, Pieces pieces) {
        this.kinds = new byte[vocabulary.size()];
        for (int id = 0; id < kinds.length; id++) kinds[id] = (byte) vocabulary.kind(id).ordinal();
        for (String marker : END_MARKERS) {
            int id = vocabulary.find(marker);
            if (id < 0 || pieces.makes(id) && kind(id) == TokenKind.NORMAL) continue;
            kinds[id] = (byte) TokenKind.CONTROL.ordinal();
            ends.set(id);
        }
        // in the formats of these markers <|end|> only ends one of the messages that an answer consists of
        int end = vocabulary.find("<|end|>");
        boolean hasMessages = has(vocabulary, "<|return|>", "<|call|>") || has(vocabulary, "<|calls|>", "<|flush|>");
        if (end >= 0 && hasMessages) ends.clear(end);
        boolean sentencePieces = pieces instanceof SentencePieces;
        this.bos = token(vocabulary, "bos_token_id", sentencePieces, 1);
        this.eos = token(vocabulary, "eos_token_id", sentencePieces, 2);
        eos.ifPresent(ends::set);
        vocabulary.special("eot_token_id").ifPresent(ends::set);
        vocabulary.special("eom_token_id").ifPresent(ends::set);
        this.addsBos = addsBos(vocabulary, pieces);
    }

    /// Reads the special ids, and looks for well-known markers.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException if an id is none of the vocabulary, or the begin token is wanted and missing
    public static Roles read(Vocabulary vocabulary, Pieces pieces) {
        return new Roles(vocabulary, pieces);
    }

    /// SentencePiece has its own numbers for what the file leaves out.
    private static OptionalInt token(Vocabulary vocabulary, String key, boolean hasUsual, int usual) {
        OptionalInt id = vocabulary.special(key);
        return id.isPresent() || !hasUsual || usual >= vocabulary.size() ? id : OptionalInt.of(usual);
    }

    private boolean addsBos(Vocabulary vocabulary, Pieces pieces) {
        boolean asked = vocabulary.metadata().findBoolean(Vocabulary.PREFIX + "add_bos_token").orElse(false);
        if (asked && bos.isEmpty())
            throw vocabulary.wrong("bos_token_id", "the token that \"" + Vocabulary.PREFIX + "add_bos_token\" asks for", "no such key");
        boolean silent = !vocabulary.metadata().contains(Vocabulary.PREFIX + "add_bos_token");
        return asked || silent && pieces.addsBos() && bos.isPresent();
    }

    private static boolean has(Vocabulary vocabulary, String one, String other) {
        return vocabulary.find(one) >= 0 && vocabulary.find(other) >= 0;
    }

    /// What a token is.
    public TokenKind kind(int id) {
        return TokenKind.of(kinds[id]);
    }

    /// The token that a text begins with.
    public OptionalInt bos() {
        return bos;
    }

    /// The token that ends a text.
    public OptionalInt eos() {
        return eos;
    }

    /// Whether a text begins with the begin token.
    public boolean addsBos() {
        return addsBos;
    }

    /// Whether an answer is over with this token.
    public boolean ends(int id) {
        return ends.get(id);
    }

    /// All tokens of these kinds.
    public int[] tokens(Set<TokenKind> wanted) {
        Ids found = new Ids();
        for (int id = 0; id < kinds.length; id++) if (wanted.contains(kind(id))) found.add(id);
        return found.toArray();
    }
}
