package io.github.kvern;

/// Placeholder until the sampler lands.
public final class Sampling {
    private Sampling() {
    }
}
