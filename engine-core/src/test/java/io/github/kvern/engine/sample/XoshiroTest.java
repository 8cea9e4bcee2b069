package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class XoshiroTest {
    /// The first numbers that the authors' own program gives from the state 1, 2, 3, 4.
    @Test
    void givesThePublishedNumbers() {
        Xoshiro random = new Xoshiro(1, 2, 3, 4);
        assertArrayEquals(
                new long[] {11520, 0, 1509978240, 1215971899390074240L, 1216172134540287360L, 607988272756665600L,
                        Long.parseUnsignedLong("16172922978634559625"), 8476171486693032832L,
                        Long.parseUnsignedLong("10595114339597558777"),
                        2904607092377533576L},
                LongStream.generate(random::nextLong).limit(10).toArray());
    }

    /// The JDK's generator of that name documents the same counter and the same mixing.
    @Test
    void splitsLikeTheJdk() {
        for (long seed : new long[] {0, 1, 1234567, -1, Long.MIN_VALUE}) {
            SplittableRandom jdk = new SplittableRandom(seed);
            for (int n = 1; n <= 100; n++) assertEquals(jdk.nextLong(), Xoshiro.splitMix(seed, n), "seed " + seed + ", number " + n);
        }
    }

    /// A seed gives these numbers for ever: whoever changes them changes every seeded text.
    @Test
    void givesTheSameNumbersForEver() {
        Xoshiro random = new Xoshiro(42);
        assertArrayEquals(new long[] {1546998764402558742L, 6990951692964543102L, -5902157311460992607L, -1389169964527427423L},
                LongStream.generate(random::nextLong).limit(4).toArray());
    }

    @Test
    void staysBelowOne() {
        Xoshiro random = new Xoshiro(3);
        double sum = 0;
        for (int i = 0; i < 100_000; i++) {
            double u = random.nextDouble();
            assertTrue(u >= 0 && u < 1, () -> "" + u);
            sum += u;
        }
        assertEquals(0.5, sum / 100_000, 0.005); // 5 standard deviations
    }
}
