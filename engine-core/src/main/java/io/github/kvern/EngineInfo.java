package io.github.kvern;

import io.github.kvern.kernels.Kernels;
import java.util.Optional;

/// What Kvern found on this machine; needs no model.
///
/// @param kernels the kernels in use: `vector512`, `vector256`, `vector128`, `scalar`
/// @param reason why these, in one line
/// @param warning what slows this JVM down and how to mend it, in one line
/// @param threads threads that a model computes with unless told otherwise
public record EngineInfo(String kernels, String reason, Optional<String> warning, int threads) {
    /// Looks at this JVM. The kernels are chosen once and stay the same as long as it runs.
    public static EngineInfo here() {
        Kernels best = Kernels.best();
        return new EngineInfo(best.name(), best.reason(), best.warning(), ModelOptions.defaults().threads());
    }
}
