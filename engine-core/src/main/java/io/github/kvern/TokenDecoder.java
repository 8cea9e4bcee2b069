package io.github.kvern;

import io.github.kvern.engine.text.Utf8Stream;

/// Decodes token ids that come one by one into text, whole characters only: bytes of an unfinished character are held back until
/// the tokens that finish it. Not thread-safe.
///
/// It stands in the middle of a text: unlike [Tokenizer#decode(int[], boolean)] it keeps a space at the beginning, because an
/// answer may well begin with one.
public final class TokenDecoder {
    private final Tokenizer tokenizer;
    private final boolean special;
    private final Utf8Stream stream = new Utf8Stream();

    TokenDecoder(Tokenizer tokenizer, boolean special) {
        this.tokenizer = tokenizer;
        this.special = special;
    }

    /// Takes a token.
    ///
    /// @return the characters that are complete now; often none
    /// @throws IllegalArgumentException if the id is none of the vocabulary
    public String append(int id) {
        return stream.append(tokenizer.bytes(id, special));
    }

    /// Whether a character is unfinished.
    public boolean holds() {
        return stream.holds();
    }

    /// Ends the text.
    ///
    /// @return U+FFFD for an unfinished character, else nothing
    public String finish() {
        return stream.finish();
    }
}
