package io.github.kvern.engine.layer;

import io.github.kvern.moe.MoeLayer;

/// A mixture of experts.
///
/// @param layer routes and sums
/// @param used experts that a token uses
public record MoeFfn(MoeLayer layer, int used) implements Ffn {
    @Override
    public void forward(Pass pass) {
        pass.moe().settle(layer.experts(), used, pass.normed().columns());
        layer.forward(pass.region(), pass.normed(), pass.hidden(), pass.moe());
    }
}
