package io.github.kvern;

/// Told how far a model's loading is. Called on the loading thread.
@FunctionalInterface
public interface LoadListener {
    /// Called now and then, the last time with 1.
    ///
    /// @param fraction 0 to 1
    void loaded(double fraction);
}
