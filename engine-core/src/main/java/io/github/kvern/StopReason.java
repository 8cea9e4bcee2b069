package io.github.kvern;

/// Why a generation ended.
public enum StopReason {
    /// The model wrote an end-of-generation token.
    END_OF_TEXT,
    /// A stop string appeared.
    STOP_STRING,
    /// As many tokens as were asked for.
    MAX_TOKENS,
    /// The context is full.
    CONTEXT_FULL,
    /// [Generation#cancel()], an interrupt, or a close.
    CANCELLED
}
