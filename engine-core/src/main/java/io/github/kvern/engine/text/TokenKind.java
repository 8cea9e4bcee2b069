package io.github.kvern.engine.text;

/// What a token is, as `tokenizer.ggml.token_type` says.
public enum TokenKind {
    /// A piece of text.
    NORMAL,
    /// Stands for text that the vocabulary cannot say.
    UNKNOWN,
    /// Steers the model: recognized in a text only on request.
    CONTROL,
    /// A piece of text that is always recognized as a whole.
    USER_DEFINED,
    /// A hole in the vocabulary.
    UNUSED,
    /// One byte, spelled `<0x41>`.
    BYTE;

    private static final TokenKind[] BY_ORDINAL = values();

    static TokenKind of(byte ordinal) {
        return BY_ORDINAL[ordinal];
    }
}
