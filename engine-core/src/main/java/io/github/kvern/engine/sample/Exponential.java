package io.github.kvern.engine.sample;

/// `e^x` for weights of a softmax: the same bits on every machine, unlike `Math.exp`, and many times faster than `StrictMath.exp`.
final class Exponential {
    private static final double LOG2_E = 1.4426950408889634;
    /// ln 2 in two parts; the upper one has 32 bits, so its product with a whole number of 11 bits is exact.
    private static final double LN2_UPPER = 0x1.62E42FEEp-1;
    private static final double LN2_LOWER = 0x1.A39EF35793C76p-33;

    private Exponential() {
    }

    /// Within 2 units in the last place of `e^x`.
    ///
    /// @param x 0 or less, negative infinity too; NaN is not told apart
    /// @return `e^x`; 0 below -708, where the result would no longer be a normal number
    static double of(double x) {
        if (!(x > -708)) return 0;
        // x = k ln 2 + r with |r| ≤ ln 2 / 2, so e^x = 2^k e^r; e^r is the Taylor series, whose first term left out is below 1e-17.
        int k = (int) (x * LOG2_E - 0.5);
        double r = x - k * LN2_UPPER - k * LN2_LOWER;
        double p = 1.0 / 6227020800.0;
        p = p * r + 1.0 / 479001600.0;
        p = p * r + 1.0 / 39916800.0;
        p = p * r + 1.0 / 3628800.0;
        p = p * r + 1.0 / 362880.0;
        p = p * r + 1.0 / 40320.0;
        p = p * r + 1.0 / 5040.0;
        p = p * r + 1.0 / 720.0;
        p = p * r + 1.0 / 120.0;
        p = p * r + 1.0 / 24.0;
        p = p * r + 1.0 / 6.0;
        p = p * r + 0.5;
        p = p * r + 1;
        p = p * r + 1;
        return p * Double.longBitsToDouble((long) (k + 1023) << 52);
    }
}
