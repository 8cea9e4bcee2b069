package io.github.kvern.engine.layer;

import io.github.kvern.moe.MoeLayer;

/// A mixture of experts.
///
/// @param layer routes and sums
public record MoeFfn(MoeLayer layer) implements Ffn {
    @Override
    public void forward(Pass pass) {
        layer.forward(pass.region(), pass.normed(), pass.hidden(), pass.moe());
        pass.moe().settle(layer.experts());
    }
}
