package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.GatedUnit;
import io.github.kvern.kernels.Matrix;
import java.util.Optional;

/// A gated unit between products: `down(unit(gate x, up x))`, in most families SwiGLU, `down(silu(gate x) * (up x))`.
public final class DenseFfn implements Ffn, RowWork {
    private final Matrix gate;
    private final Matrix up;
    private final Matrix down;
    private final float[] gateBias;
    private final float[] upBias;
    private final float[] downBias;
    private final GatedUnit unit;
    private final Optional<Norm> after;

    /// Reads a layer's weights.
    ///
    /// @param prefix `blk.N.`
    /// @param inner width inside
    /// @param merged whether the gate's rows stand in front of the others in `ffn_up`
    /// @param unit makes one vector of two
    /// @param after a norm of the result before it is added to the stream
    public DenseFfn(Weights w, String prefix, int width, int inner, boolean merged, GatedUnit unit, Optional<Norm> after) {
        this.unit = unit;
        this.after = after;
        String name = prefix + "ffn_up.weight";
        gate = merged ? w.rows(name, 0, inner, 2L * inner, width) : w.matrix(prefix + "ffn_gate.weight", inner, width);
        up = merged ? w.rows(name, inner, inner, 2L * inner, width) : w.matrix(name, inner, width);
        down = w.matrix(prefix + "ffn_down.weight", width, inner);
        gateBias = w.findVector(prefix + "ffn_gate.bias", inner);
        upBias = w.findVector(prefix + "ffn_up.bias", inner);
        downBias = w.findVector(prefix + "ffn_down.bias", width);
    }

    @Override
    public void forward(Pass pass) {
        int inner = gate.rows(), width = down.rows(), n = pass.step().count();
        Activation middle = pass.middle(inner);
        middle.reset(n);
        pass.region().multiply(gate, pass.normed(), middle.values(), 0, inner);
        pass.region().multiply(up, pass.normed(), pass.inner(inner), 0, inner);
        pass.region().run();
        pass.perRow(this, 8 * inner);
        float[] sum = pass.sum();
        pass.region().multiply(down, middle, sum, 0, width);
        pass.region().run();
        pass.addToStream(downBias, after);
    }

    @Override
    public void rows(Pass pass, int from, int to) {
        int n = gate.rows();
        float[] g = pass.middle(n).values(), u = pass.inner(n);
        for (int i = from; i < to; i++) {
            if (gateBias.length > 0) pass.ops().add(g, i * n, gateBias, 0, n);
            if (upBias.length > 0) pass.ops().add(u, i * n, upBias, 0, n);
            pass.ops().gated(unit, g, i * n, u, i * n, n);
        }
    }
}
