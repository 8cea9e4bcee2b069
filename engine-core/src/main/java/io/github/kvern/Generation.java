package io.github.kvern;

/// One running answer (shape to come).
public interface Generation {
    /// Ends the answer early.
    void cancel();
}
