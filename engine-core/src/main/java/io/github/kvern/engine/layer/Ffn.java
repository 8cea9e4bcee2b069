package io.github.kvern.engine.layer;

/// The second half of a layer: reads the normed stream and adds to the hidden one.
public sealed interface Ffn permits DenseFfn, MoeFfn {
    /// Adds this part's result to the stream.
    void forward(Pass pass);
}
