package io.github.kvern;

/// Takes the logits of one position after the other. Called on the thread that asked; what it throws ends the scoring, and comes out of
/// [Model#score(int[], int[], LogitsSink)].
@FunctionalInterface
public interface LogitsSink {
    /// Takes one position's logits.
    ///
    /// @param position its number in the ids
    /// @param logits one value per token of the vocabulary, before any softmax; valid during the call only, so keep a copy of what you
    ///   need
    void accept(int position, float[] logits);
}
