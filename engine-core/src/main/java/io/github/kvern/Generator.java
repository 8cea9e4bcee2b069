package io.github.kvern;

/// One conversation: one sequence in the cache. One answer at a time; many generators of a model run at once.
public final class Generator implements AutoCloseable {
    private Generator() {
    }

    /// The most tokens of prompt and answer together.
    public int context() {
        throw new UnsupportedOperationException();
    }

    /// Starts an answer.
    ///
    /// @throws IllegalStateException an answer is running, or the generator or its model is closed
    /// @throws IllegalArgumentException the prompt is empty, longer than the context, or has ids outside the vocabulary
    public Generation generate(Prompt prompt, Sampling sampling) {
        throw new UnsupportedOperationException();
    }

    /// Ends a running answer and gives the cache's pages back.
    @Override
    public void close() {
    }
}
