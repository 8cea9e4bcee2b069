package io.github.kvern;

/// How a conversation is held.
///
/// @param context the most tokens of prompt and answer together; 0: the model's own context, at most 8,192
public record GeneratorOptions(int context) {
    private static final int DEFAULT = 8192;

    /// Checks the range.
    ///
    /// @throws IllegalArgumentException a context below 0
    public GeneratorOptions {
        if (context < 0) throw new IllegalArgumentException("context must be 0 (the model's own, at most 8192) or more, found " + context);
    }

    /// The model's own context, at most 8,192 tokens.
    public static GeneratorOptions defaults() {
        return new GeneratorOptions(0);
    }

    /// A context of so many tokens, prompt and answer together. It may be longer than the one that the model was made for; answers
    /// lose sense there.
    ///
    /// @param tokens 1 or more; 0 is the default
    /// @throws IllegalArgumentException a context below 0
    public static GeneratorOptions context(int tokens) {
        return new GeneratorOptions(tokens);
    }

    /// The length of a conversation.
    ///
    /// @param own the context that the model was made for
    int length(int own) {
        return context > 0 ? context : Math.min(own, DEFAULT);
    }
}
