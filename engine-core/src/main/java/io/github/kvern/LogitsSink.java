package io.github.kvern;

/// Takes the logits of one position after the other. Called on the thread that asked.
@FunctionalInterface
public interface LogitsSink {
    /// Takes one position's logits.
    ///
    /// @param position its number in the ids
    /// @param logits one value per token of the vocabulary; valid during the call only
    void accept(int position, float[] logits);
}
