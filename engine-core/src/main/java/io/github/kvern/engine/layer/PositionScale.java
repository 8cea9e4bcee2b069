package io.github.kvern.engine.layer;

/// How Llama 4's layers without rope sharpen their queries with distance: `1 + 0.1 ln(1 + floor((p + 1) / 8192))`.
final class PositionScale {
    private static final int FLOOR = 8192;
    private static final float STRENGTH = 0.1f;

    private PositionScale() {
    }

    /// The factor on a query at position `p`; 1 before position 8191.
    static float at(int p) {
        int steps = (p + 1) / FLOOR;
        return (float) (1 + STRENGTH * StrictMath.log(1.0 + steps));
    }
}
