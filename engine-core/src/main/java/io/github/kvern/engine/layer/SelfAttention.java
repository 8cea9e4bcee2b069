package io.github.kvern.engine.layer;

/// The first half of a layer: reads the normed stream, keeps what later positions need of it, and adds to the hidden one.
public interface SelfAttention {
    /// Adds this part's result to the stream.
    void forward(Pass pass);
}
