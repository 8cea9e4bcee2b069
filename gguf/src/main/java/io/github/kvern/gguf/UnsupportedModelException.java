package io.github.kvern.gguf;

/// The file is fine, but Kvern cannot use it: the message says what it asks for, and what Kvern can do.
public final class UnsupportedModelException extends KvernException {
    private static final long serialVersionUID = 1L;

    /// @param message what the file asks for, and what is supported
    public UnsupportedModelException(String message) {
        super(message);
    }
}
