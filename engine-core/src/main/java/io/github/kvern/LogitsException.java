package io.github.kvern;

import io.github.kvern.gguf.KvernException;

/// The model's logits leave no token to choose: one of them is not a number, or all that are not banned are negative infinity. The
/// message says which and at what position. Nothing was chosen; a wrong token is never given instead.
public final class LogitsException extends KvernException {
    private static final long serialVersionUID = 1L;

    /// @param message position, what was found, what to do
    public LogitsException(String message) {
        super(message);
    }
}
