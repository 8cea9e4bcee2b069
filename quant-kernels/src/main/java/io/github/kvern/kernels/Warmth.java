package io.github.kvern.kernels;

/// Whether some vector code is compiled. Nobody has to warm anything up: what was never begun runs its vector code at once.
final class Warmth {
    private enum State {
        NEW, BEGUN, WARM, GIVEN_UP
    }

    /// Columns from which on even small matrices take plain loops long.
    private static final int MANY = 64;

    private volatile boolean cold;
    private volatile boolean wanted;
    private volatile State state = State.NEW;
    private long begun, patience;

    /// Whether to compute in plain loops for the time being.
    boolean isCold() {
        return cold;
    }

    /// The same for a product, which may be so large that plain loops take longer than the compiler: if whoever began said that waiting
    /// is worth its time, this waits for the code to be compiled, or for that time to be over.
    ///
    /// @param columns of the product
    boolean staysCold(int columns) {
        return cold && (state != State.BEGUN || !awaitWarm(columns));
    }

    private synchronized boolean awaitWarm(int columns) {
        wanted |= patience > 0 || columns >= MANY;
        boolean interrupted = false;
        while (cold && state == State.BEGUN && !interrupted) {
            long left = patience - (System.nanoTime() - begun);
            if (left <= 0) break;
            try {
                wait(left / 1_000_000 + 1);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
        return !cold;
    }

    /// Whether a product that takes long in plain loops was to be computed with this code while it was cold.
    boolean isWanted() {
        return wanted;
    }

    /// Begins to warm up, unless that was done before.
    ///
    /// @param patience how long products should rather wait than be computed in plain loops, in nanoseconds from now on; 0 not at all
    synchronized boolean begin(long patience) {
        if (state != State.NEW) return false;
        state = State.BEGUN;
        this.patience = patience;
        begun = System.nanoTime();
        cold = true;
        return true;
    }

    /// The code is compiled.
    synchronized void warm() {
        settle(State.WARM, false);
    }

    /// It will not be: plain loops for good.
    synchronized void giveUp() {
        settle(State.GIVEN_UP, true);
    }

    /// It was left off: vector code from now on, and another may begin.
    synchronized void stop() {
        settle(State.NEW, false);
    }

    private void settle(State state, boolean cold) {
        this.cold = cold; // first: who sees the new state without the lock must not take warm code for cold
        this.state = state;
        wanted = false;
        notifyAll();
    }

    /// Whether the compiler is done with it, for better or worse.
    synchronized boolean isSettled() {
        return state == State.WARM || state == State.GIVEN_UP;
    }

    synchronized boolean isGivenUp() {
        return state == State.GIVEN_UP;
    }
}
