package io.github.kvern;

/// Tells a listener no more than it was promised: ascending fractions, a hundredth apart or more, and 1 only when the model is ready.
final class LoadSteps {
    private static final double STEP = 0.01;

    private final LoadListener listener;
    private double told;
    private double from;
    private double share = 1;

    LoadSteps(LoadListener listener) {
        this.listener = listener;
    }

    /// From now on fractions are those of a part of the work.
    ///
    /// @param from share of all work at which it begins
    /// @param to share at which it ends
    void part(double from, double to) {
        this.from = from;
        share = to - from;
    }

    /// @param part of the work that is done; any number of times, 1 before the model is ready too
    void at(double part) {
        double fraction = from + part * share;
        if (fraction >= 1 || fraction - told < STEP) return;
        told = fraction;
        listener.loaded(fraction);
    }

    /// The share of all work that was told last.
    double done() {
        return told;
    }

    /// The model can be used.
    void ready() {
        listener.loaded(1);
    }
}
