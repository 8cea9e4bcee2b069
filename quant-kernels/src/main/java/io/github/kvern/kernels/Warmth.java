package io.github.kvern.kernels;

/// Whether some vector code is compiled. Nobody has to warm anything up: what was never begun runs its vector code at once.
final class Warmth {
    private enum State {
        NEW, BEGUN, WARM, GIVEN_UP
    }

    private volatile boolean cold;
    private State state = State.NEW;

    /// Whether to compute in plain loops for the time being.
    boolean isCold() {
        return cold;
    }

    /// Begins to warm up, unless that was done before.
    synchronized boolean begin() {
        if (state != State.NEW) return false;
        state = State.BEGUN;
        cold = true;
        return true;
    }

    /// The code is compiled.
    synchronized void warm() {
        state = State.WARM;
        cold = false;
    }

    /// It will not be: plain loops for good.
    synchronized void giveUp() {
        state = State.GIVEN_UP;
    }

    /// It was left off: vector code from now on, and another may begin.
    synchronized void stop() {
        state = State.NEW;
        cold = false;
    }

    /// Whether the compiler is done with it, for better or worse.
    synchronized boolean isSettled() {
        return state == State.WARM || state == State.GIVEN_UP;
    }

    synchronized boolean isGivenUp() {
        return state == State.GIVEN_UP;
    }
}
