package io.github.kvern;

import java.util.Optional;
import java.util.OptionalLong;

/// What an answer cost so far. All times are in nanoseconds of elapsed time, 0 before they began.
///
/// @param promptTokens tokens of the prompt, the begin token among them
/// @param reusedTokens of these, how many were in the cache
/// @param readTokens of the rest, how many have been computed
/// @param generatedTokens tokens generated
/// @param loadNanos how long the model took to load
/// @param firstTokenNanos from the call to the first token; 0 before it
/// @param promptNanos how long the prompt was computed
/// @param generationNanos from the first token to the last
/// @param seed the seed in use: with it the answer can be repeated
/// @param experts what routed experts did, if the model has any
public record Stats(int promptTokens, int reusedTokens, int readTokens, int generatedTokens, long loadNanos, long firstTokenNanos,
        long promptNanos, long generationNanos, long seed, Optional<Experts> experts) {

    /// What the routed experts of all layers did from the answer's first step on: for this answer, and for what shared its steps.
    /// Single experts, since the model was loaded, are in [Model#experts()].
    ///
    /// @param tokens how often an expert was chosen for a token
    /// @param uses how often an expert was chosen in a step, for one token or more
    /// @param readBytes of weights that were read for these uses, in one go each
    /// @param missedBytes of experts that were not in memory when their pages were asked for; empty when nobody looked
    public record Experts(long tokens, long uses, long readBytes, OptionalLong missedBytes) {
        /// What was done since an earlier moment.
        ///
        /// @param before of the same model
        public Experts since(Experts before) {
            OptionalLong missed = missedBytes.isEmpty() || before.missedBytes.isEmpty() ? OptionalLong.empty()
                    : OptionalLong.of(missedBytes.getAsLong() - before.missedBytes.getAsLong());
            return new Experts(tokens - before.tokens, uses - before.uses, readBytes - before.readBytes, missed);
        }
    }

    /// Prompt tokens computed in a second; 0 when none were.
    public double promptTokensPerSecond() {
        return promptNanos == 0 ? 0 : readTokens * 1e9 / promptNanos;
    }

    /// Tokens generated in a second, the first one left out; 0 when there are not two.
    public double tokensPerSecond() {
        return generationNanos == 0 || generatedTokens < 2 ? 0 : (generatedTokens - 1) * 1e9 / generationNanos;
    }
}
