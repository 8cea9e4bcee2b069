package io.github.kvern;

/// Tells a listener no more than it was promised: ascending fractions, a hundredth apart or more, and 1 only when the model is ready.
final class LoadSteps {
    private static final double STEP = 0.01;

    private final LoadListener listener;
    private double told;

    LoadSteps(LoadListener listener) {
        this.listener = listener;
    }

    /// @param fraction of the work that is done; any number of times, 1 before the model is ready too
    void at(double fraction) {
        if (fraction >= 1 || fraction - told < STEP) return;
        told = fraction;
        listener.loaded(fraction);
    }

    /// The model can be used.
    void ready() {
        listener.loaded(1);
    }
}
