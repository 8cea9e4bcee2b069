package io.github.kvern;

/// Told how far a model's loading is. Called on the thread that loads, and only while it does: there is nothing to synchronise with.
///
/// What takes time is going through the weights; the fraction is the share of their bytes that is done. Weights that stay mapped
/// are only looked at, so that it goes by in milliseconds, whatever their size: the disk is read later, when they are computed with.
/// Weights that are packed are read and written while the model is loaded.
@FunctionalInterface
public interface LoadListener {
    /// Called about a hundred times at most, with ascending numbers; the last time with 1, when the model is ready, and with 1 never
    /// before. What it throws ends the loading, gives back what was taken, and comes out of [Model#load].
    ///
    /// @param fraction above 0, at most 1
    void loaded(double fraction);
}
