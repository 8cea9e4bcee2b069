package io.github.kvern;

import java.io.IOException;
import java.nio.file.Path;

/// A loaded model: immutable, thread-safe, the owner of the mapping and of the threads that compute.
public final class Model implements AutoCloseable {
    private Model() {
    }

    /// Loads a model with [ModelOptions#defaults()].
    public static Model load(Path path) throws IOException {
        return load(path, ModelOptions.defaults());
    }

    /// Loads a model.
    public static Model load(Path path, ModelOptions options) throws IOException {
        return load(path, options, fraction -> {
        });
    }

    /// Loads a model and tells how far it is.
    ///
    /// @param path the file, or any part of a split model
    /// @throws IOException the disk: a missing file too
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws io.github.kvern.gguf.UnsupportedModelException the file is fine, but asks for what Kvern cannot do
    public static Model load(Path path, ModelOptions options, LoadListener listener) throws IOException {
        throw new UnsupportedOperationException();
    }

    public ModelInfo info() {
        throw new UnsupportedOperationException();
    }

    public ModelOptions options() {
        throw new UnsupportedOperationException();
    }

    public Tokenizer tokenizer() {
        throw new UnsupportedOperationException();
    }

    /// A conversation of the default size.
    public Generator generator() {
        return generator(GeneratorOptions.defaults());
    }

    /// A conversation. Many can run at once.
    ///
    /// @throws io.github.kvern.gguf.MemoryBudgetException the context does not fit the cache's memory
    public Generator generator(GeneratorOptions options) {
        throw new UnsupportedOperationException();
    }

    /// The logits at some positions of a text. Adds no begin token; the text may be longer than the model's own context.
    ///
    /// @param ids the text
    /// @param positions ascending numbers of ids
    public void score(int[] ids, int[] positions, LogitsSink sink) {
        throw new UnsupportedOperationException();
    }

    /// The logits at some positions of a text, `[positions][vocabulary]`.
    public float[][] score(int[] ids, int[] positions) {
        float[][] all = new float[positions.length][];
        int[] next = new int[1];
        score(ids, positions, (position, logits) -> all[next[0]++] = logits.clone());
        return all;
    }

    /// Ends what runs, waits for it, and unmaps.
    @Override
    public void close() {
    }
}
