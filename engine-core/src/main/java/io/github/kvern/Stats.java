package io.github.kvern;

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
public record Stats(int promptTokens, int reusedTokens, int readTokens, int generatedTokens, long loadNanos, long firstTokenNanos,
        long promptNanos, long generationNanos, long seed) {

    /// Prompt tokens computed in a second; 0 when none were.
    public double promptTokensPerSecond() {
        return promptNanos == 0 ? 0 : readTokens * 1e9 / promptNanos;
    }

    /// Tokens generated in a second, the first one left out; 0 when there are not two.
    public double tokensPerSecond() {
        return generationNanos == 0 || generatedTokens < 2 ? 0 : (generatedTokens - 1) * 1e9 / generationNanos;
    }
}
