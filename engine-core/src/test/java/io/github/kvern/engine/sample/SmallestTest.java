package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SmallestTest {
    @Test
    void selectsAndSortsLikeTheJdk() {
        for (long seed = 0; seed < 400; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            String where = "seed " + seed;
            long[] a = distinct(random, 1 + random.nextInt(seed % 10 == 0 ? 5000 : 200));
            int from = random.nextInt(a.length);
            int to = from + 1 + random.nextInt(a.length - from);
            int until = from + 1 + random.nextInt(to - from);
            long[] expected = a.clone();
            Arrays.sort(expected, from, to);

            long[] selected = a.clone();
            Smallest.select(selected, from, to, until);
            assertEquals(expected[until - 1], selected[until - 1], where);
            Arrays.sort(selected, from, until);
            Arrays.sort(selected, until, to);
            assertArrayEquals(expected, selected, where);

            Smallest.sort(a, from, to);
            assertArrayEquals(expected, a, where);
        }
    }

    /// Random, ascending, descending, organ pipe, few steps.
    private static long[] distinct(SplittableRandom random, int length) {
        long[] a = new long[length];
        int shape = random.nextInt(5);
        for (int i = 0; i < length; i++) {
            long upper = switch (shape) {
                case 0 -> random.nextInt();
                case 1 -> i;
                case 2 -> -i;
                case 3 -> Math.min(i, length - i);
                default -> random.nextInt(3);
            };
            a[i] = upper << 32 | i;
        }
        return a;
    }
}
