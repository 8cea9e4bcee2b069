package io.github.kvern.engine.layer;

/// How queries are sharpened with distance: `1 + strength ln(1 + floor((p + offset) / floor))` at position `p`.
///
/// @param offset added to the position, 0 or 1
/// @param floor positions that share a factor, at least 1
/// @param strength 0 for none
public record PositionScale(int offset, int floor, float strength) {
    /// No such factor.
    public static final PositionScale NONE = new PositionScale(0, 1, 0);
    /// Llama 4's layers without rope: 1 before position 8191.
    static final PositionScale LLAMA_4 = new PositionScale(1, 8192, 0.1f);

    /// The factor on a query at a position.
    float at(int position) {
        long steps = ((long) position + offset) / floor;
        return (float) (1 + strength * StrictMath.log(1.0 + steps));
    }
}
