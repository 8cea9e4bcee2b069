package io.github.kvern.kernels;

/// Whether some vector code is compiled. Nobody has to warm anything up: what was never begun runs its vector code at once.
final class Warmth {
    private volatile boolean cold;
    private boolean begun;

    /// Whether to compute in plain loops for the time being.
    boolean isCold() {
        return cold;
    }

    /// Begins to warm up, unless that was done before.
    synchronized boolean begin() {
        if (begun) return false;
        begun = true;
        cold = true;
        return true;
    }

    /// The code is compiled.
    void warm() {
        cold = false;
    }

    /// It was left off: vector code from now on, and another may begin.
    synchronized void stop() {
        begun = false;
        cold = false;
    }
}
