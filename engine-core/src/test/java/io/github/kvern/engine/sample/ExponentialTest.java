package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ExponentialTest {
    @Test
    void isWithinTwoUnitsInTheLastPlace() {
        long seed = 11;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 200_000; i++) {
            double x = -708 * (i % 2 == 0 ? random.nextDouble() : StrictMath.exp(-30 * random.nextDouble()));
            double expected = StrictMath.exp(x);
            assertTrue(Math.abs(Exponential.of(x) - expected) <= 2 * Math.ulp(expected), () -> "seed " + seed + ", x " + x);
        }
    }

    @Test
    void knowsTheEnds() {
        assertEquals(1, Exponential.of(0));
        assertEquals(1, Exponential.of(-0.0));
        assertEquals(1, Exponential.of(-Double.MIN_VALUE));
        assertTrue(Exponential.of(-707.99) > 0);
        assertEquals(0, Exponential.of(-708));
        assertEquals(0, Exponential.of(-1e300));
        assertEquals(0, Exponential.of(Double.NEGATIVE_INFINITY));
    }

    /// Plain additions and multiplications: these bits come out on every machine.
    @Test
    void hasTheSameBitsForEver() {
        long bits = 0;
        for (int i = 0; i < 10_000; i++) bits = 31 * bits + Double.doubleToRawLongBits(Exponential.of(-i * 0.07));
        assertEquals(6052832006347383490L, bits);
    }
}
