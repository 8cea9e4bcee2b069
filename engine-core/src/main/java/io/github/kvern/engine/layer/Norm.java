package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Activation;

/// An RMS norm of the residual stream, into the pass's normed activation.
///
/// @param weight one factor per value
/// @param eps added to the mean square
public record Norm(float[] weight, float eps) implements RowWork {
    /// Normalises every row.
    public Activation apply(Pass pass) {
        pass.normed().reset(pass.step().count());
        pass.perRow(this, 2 * weight.length);
        return pass.normed();
    }

    @Override
    public void rows(Pass pass, int from, int to) {
        int n = weight.length;
        for (int i = from; i < to; i++) pass.ops().rmsNorm(pass.hidden(), i * n, weight, pass.normed().values(), i * n, n, eps);
    }
}
