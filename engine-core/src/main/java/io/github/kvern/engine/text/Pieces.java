package io.github.kvern.engine.text;

import java.util.List;

/// One way to cut text without special tokens into pieces. Immutable, thread-safe.
public sealed interface Pieces permits BytePairs, SentencePieces {
    /// The kinds of vocabulary, by the names that `tokenizer.ggml.model` gives them: byte-level BPE and SentencePiece BPE.
    List<String> MODELS = List.of("gpt2", "llama");

    /// The way of a vocabulary.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException if a key is missing or does not fit the tokens
    /// @throws io.github.kvern.gguf.UnsupportedModelException if the file asks for what we do not know
    static Pieces of(Vocabulary vocabulary) {
        return vocabulary.model().equals("gpt2") ? BytePairs.read(vocabulary) : SentencePieces.read(vocabulary);
    }

    /// Adds the ids of a text.
    ///
    /// @param text not empty, without lone surrogates
    /// @param first whether the text stands at the beginning or right after a special token
    void encode(String text, boolean first, Ids ids);

    /// The bytes that a piece of text stands for.
    ///
    /// @param text how the vocabulary spells the token
    byte[] bytes(String text);

    /// Whether this token is a piece that the method itself makes, as opposed to one that was added to the vocabulary.
    boolean makes(int id);

    /// Whether encoding puts a space in front, which decoding takes away again.
    boolean addsSpace();

    /// Whether a text begins with the begin token unless the file says otherwise.
    boolean addsBos();
}
