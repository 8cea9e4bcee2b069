package io.github.kvern;

/// How a conversation is held.
///
/// @param context the most tokens of prompt and answer together; 0: the model's own context, at most 8,192
public record GeneratorOptions(int context) {
    /// Checks the range.
    public GeneratorOptions {
        if (context < 0) throw new IllegalArgumentException("context must be 0 (the model's own, at most 8192) or more, found " + context);
    }

    /// The model's own context, at most 8,192 tokens.
    public static GeneratorOptions defaults() {
        return new GeneratorOptions(0);
    }

    /// A context of so many tokens.
    public static GeneratorOptions context(int tokens) {
        return new GeneratorOptions(tokens);
    }
}
