package io.github.kvern.engine.layer;

/// The second half of a layer: reads the normed stream and adds to the hidden one.
public interface Ffn {
    /// Adds this part's result to the stream.
    void forward(Pass pass);
}
