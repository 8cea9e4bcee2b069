package io.github.kvern.gguf;

/// What every failure of Kvern's own kind extends. The message names the file, the key or tensor, what was expected, what
/// was found, and what to do next; it is one line and needs no stack trace to be understood.
public class KvernException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message one line that a user can act on
    public KvernException(String message) {
        super(message);
    }

    /// @param message one line that a user can act on
    /// @param cause what was thrown underneath
    public KvernException(String message, Throwable cause) {
        super(message, cause);
    }
}
