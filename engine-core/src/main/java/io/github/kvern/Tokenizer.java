package io.github.kvern;

/// Placeholder until the tokenizers land.
public final class Tokenizer {
    private Tokenizer() {
    }
}
