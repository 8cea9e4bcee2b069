package io.github.kvern.gguf;

/// Memory that was asked for is not to be had: the message says how much is needed, how much is available, and which option
/// lowers it.
public final class MemoryBudgetException extends KvernException {
    private static final long serialVersionUID = 1L;

    /// @param message needed, available, and the option that lowers it
    public MemoryBudgetException(String message) {
        super(message);
    }
}
