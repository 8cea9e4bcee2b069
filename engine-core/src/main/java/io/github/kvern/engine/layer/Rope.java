package io.github.kvern.engine.layer;

import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kernels.Ops;

/// Rotary positions: the angles of a position, as cosines and sines.
///
/// The angles are float32, built by repeated multiplication from pair to pair, because that is the arithmetic that models of this
/// format are run with: at position 8,000 it is worth a thousandth of a radian against exact angles.
public final class Rope {
    /// A quarter turn, as a sum of two numbers, and its inverse.
    private static final double QUARTER = Math.PI / 2;
    private static final double QUARTER_REST = 6.123233995736766e-17;
    private static final double QUARTERS = 2 / Math.PI;

    /// Models have little more than 1; with much more, keys would be no half floats.
    private static final int MOST_ATTENTION = 100;
    private static final String LOCAL_BASE = "rope.freq_base_swa";
    private static final String DIVISORS = "rope_freqs.weight";

    private final int pairs;
    private final boolean halves;
    private final float step;
    private final float[] factors;
    private final float interpolation;
    private final float[] ramp;
    private final float magnitude;

    private Rope(int pairs, boolean halves, float step, float[] factors, float interpolation, float[] ramp, float magnitude) {
        this.pairs = pairs;
        this.halves = halves;
        this.step = step;
        this.factors = factors;
        this.interpolation = interpolation;
        this.ramp = ramp;
        this.magnitude = magnitude;
    }

    /// Reads the rope of a model from its metadata and its optional tensor of divisors.
    ///
    /// @param halves whether a pair is a value and the one half a head behind it, and not two neighbours
    public static Rope read(Parameters p, Parameters.Reader r, Weights weights, boolean halves) {
        return read(p, r, weights, halves, DIVISORS);
    }

    /// The same, with divisors in a tensor that must be there.
    public static Rope read(Parameters p, Parameters.Reader r, Weights weights, boolean halves, String divisors) {
        int n = r.number("rope.dimension_count", p.headSize(), 2, p.headSize());
        if (n % 2 != 0) throw r.wrong("rope.dimension_count", "an even number", "" + n);
        return read(p, r, weights, halves, n, base(r, "rope.freq_base", 10_000f), divisors);
    }

    /// The rope of layers with a window, where they have one of their own: all as in [#read], but the base.
    public static Rope readLocal(Parameters p, Parameters.Reader r, Weights weights, Rope global) {
        if (!r.metadata().contains(r.prefix() + LOCAL_BASE)) return global;
        return read(p, r, weights, global.halves, 2 * global.pairs, base(r, LOCAL_BASE, 0), DIVISORS);
    }

    private static float base(Parameters.Reader r, String key, float absent) {
        float base = r.real(key, absent);
        if (!(base > 1)) throw r.wrong(key, "a number above 1", "" + base);
        return base;
    }

    private static Rope read(Parameters p, Parameters.Reader r, Weights weights, boolean halves, int n, float base,
            String divisors) {
        float factor = r.real("rope.scaling.factor", r.real("rope.scale_linear", 0f));
        if (factor < 0) throw r.wrong("rope.scaling.factor", "0 (none) or more", "" + factor);
        if (factor == 0) factor = 1;
        float attention = r.real("rope.scaling.attn_factor", 1f);
        if (!(attention > 0 && attention <= MOST_ATTENTION))
            throw r.wrong("rope.scaling.attn_factor", "a number above 0, at most " + MOST_ATTENTION, "" + attention);
        String type = r.metadata().findString(r.prefix() + "rope.scaling.type").orElse("linear");
        float[] ramp = Weights.NONE;
        float magnitude = attention;
        switch (type) {
            case "none" -> factor = 1;
            case "linear" -> {
            }
            case "yarn" -> {
                int original = r.number("rope.scaling.original_context_length", p.context(), 1, Integer.MAX_VALUE);
                float fast = r.real("rope.scaling.yarn_beta_fast", 32f), slow = r.real("rope.scaling.yarn_beta_slow", 1f);
                if (!(fast > 0 && slow > 0)) throw r.wrong("rope.scaling.yarn_beta_fast", "betas above 0", fast + " and " + slow);
                ramp = yarnRamp(n, base, original, fast, slow);
                magnitude = (float) (attention * (1 + 0.1 * StrictMath.log(factor)));
                if (!(magnitude > 0)) throw r.wrong("rope.scaling.factor", "a factor that leaves something of a key", "" + factor);
            }
            default -> throw new UnsupportedModelException(r.file().paths().getFirst() + ": key " + r.prefix() + "rope.scaling.type: found "
                    + r.metadata().find(r.prefix() + "rope.scaling.type").orElseThrow() + "; supported are none, linear and yarn");
        }
        float[] factors = divisors.equals(DIVISORS) ? weights.findVector(divisors, n / 2) : weights.vector(divisors, n / 2);
        for (float f : factors) {
            if (!(f > 0))
                throw new ModelFormatException(
                        r.file().paths().getFirst() + ": tensor " + divisors + ": expected divisors above 0, found " + f);
        }
        return new Rope(n / 2, halves, (float) StrictMath.pow(base, -2.0f / n), factors, 1 / factor, ramp, magnitude);
    }

    /// The rope of layers with a window, where it is never scaled.
    ///
    /// @param absent the base that the family has if the file says nothing
    public static Rope readPlainLocal(Parameters.Reader r, Rope global, float absent) {
        int n = 2 * global.pairs;
        return new Rope(global.pairs, global.halves, (float) StrictMath.pow(base(r, LOCAL_BASE, absent), -2.0f / n), Weights.NONE, 1,
                Weights.NONE, 1);
    }

    /// For each pair the share of the plain (not interpolated) angle: 1 for fast pairs, 0 for slow ones. Yarn, section 2 of its
    /// formulas: corr(b) = n ln(c / 2 pi b) / (2 ln base).
    private static float[] yarnRamp(int n, float base, int original, float fast, float slow) {
        double low = Math.max(0, StrictMath.floor(correction(n, base, original, fast)));
        double high = Math.min(n - 1, StrictMath.ceil(correction(n, base, original, slow)));
        float[] ramp = new float[n / 2];
        for (int i = 0; i < ramp.length; i++) {
            double y = (i - low) / Math.max(0.001, high - low);
            ramp[i] = (float) (1 - Math.min(1, Math.max(0, y)));
        }
        return ramp;
    }

    private static double correction(int n, float base, int original, float beta) {
        return n * StrictMath.log(original / (beta * 2 * Math.PI)) / (2 * StrictMath.log(base));
    }

    /// The same angles with another factor on cosines and sines.
    public Rope magnitude(float factor) {
        return new Rope(pairs, halves, step, factors, interpolation, ramp, factor);
    }

    /// How far yarn stretches the context, as a natural logarithm; 0 for a rope without yarn.
    public double yarnLog() {
        return ramp.length > 0 ? StrictMath.log(1 / (double) interpolation) : 0;
    }

    /// Pairs in a head that are rotated.
    public int pairs() {
        return pairs;
    }

    /// Computes a position's angles.
    ///
    /// @param at where the position's [#pairs()] cosines and sines go
    public void angles(int position, float[] cos, float[] sin, int at) {
        float theta = position;
        for (int i = 0; i < pairs; i++) {
            float plain = factors.length > 0 ? theta / factors[i] : theta;
            float angle = interpolation * plain;
            if (ramp.length > 0) angle = angle * (1 - ramp[i]) + plain * ramp[i];
            turn(angle, cos, sin, at + i);
            theta *= step;
        }
    }

    /// Cosine and sine of an angle. It is brought between minus and plus an eighth of a turn first: beyond, StrictMath allocates.
    private void turn(float angle, float[] cos, float[] sin, int at) {
        double quarters = Math.rint(angle * QUARTERS);
        double rest = Math.fma(-quarters, QUARTER_REST, Math.fma(-quarters, QUARTER, angle));
        double c = StrictMath.cos(rest), s = StrictMath.sin(rest);
        int quadrant = (int) ((long) quarters & 3);
        double x = quadrant == 0 ? c : quadrant == 1 ? -s : quadrant == 2 ? -c : s;
        double y = quadrant == 0 ? s : quadrant == 1 ? c : quadrant == 2 ? -s : -c;
        cos[at] = (float) x * magnitude;
        sin[at] = (float) y * magnitude;
    }

    /// Rotates one head in place.
    ///
    /// @param tableAt where the position's angles are in the tables
    public void rotate(Ops ops, float[] head, int at, float[] cos, float[] sin, int tableAt) {
        if (halves) ops.rotateHalves(head, at, pairs, cos, sin, tableAt);
        else ops.rotatePairs(head, at, pairs, cos, sin, tableAt);
    }
}
