package io.github.kvern;

/// Why an answer ended.
public enum StopReason {
    /// The model wrote an end-of-generation token.
    END_OF_TEXT,
    /// A stop string appeared.
    STOP_STRING,
    /// As many tokens as were asked for.
    MAX_TOKENS,
    /// Prompt and answer fill the context.
    CONTEXT_FULL,
    /// [Generation#cancel()], an interrupt, or the generation was closed.
    CANCELLED,
    /// The generator or the model was closed while the answer ran.
    CLOSED
}
