package io.github.kvern.gguf;

/// The file is wrong: truncated, malformed, inconsistent, or not what its own metadata says.
public final class ModelFormatException extends KvernException {
    private static final long serialVersionUID = 1L;

    /// @param message file, key or tensor, expected, found
    public ModelFormatException(String message) {
        super(message);
    }

    /// @param message file, key or tensor, expected, found
    /// @param cause what was thrown underneath
    public ModelFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
