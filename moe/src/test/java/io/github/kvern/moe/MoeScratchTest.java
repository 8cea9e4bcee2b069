package io.github.kvern.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kvern.moe.RouterSpec.Gate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// In which order a layer computes its experts.
class MoeScratchTest {
    /// Those in memory come first; of each kind the one with most tokens, and of equals the one with the lower number.
    @Test
    void whatIsInMemoryComesFirst() {
        MoeScratch scratch = new MoeScratch(); // the same for all, so that what is left of one would be seen in another
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int experts = 2 + random.nextInt(30), used = 1 + random.nextInt(Math.min(4, experts)), tokens = 1 + random.nextInt(20);
            RouterSpec spec = new RouterSpec(experts, used, Gate.SIGMOID, true, 1, 1, 1, false);
            scratch.reserve(tokens, experts, used);
            int[] times = new int[experts];
            for (int token = 0; token < tokens; token++)
                for (int k = 0, first = random.nextInt(experts); k < used; k++) {
                    int expert = (first + k) % experts; // different ones
                    scratch.ids[token * used + k] = expert;
                    times[expert]++;
                }
            List<Integer> ranked = new ArrayList<>();
            for (int e = 0; e < experts; e++) if (times[e] > 0) ranked.add(e);
            ranked.sort((a, b) -> times[b] - times[a]); // stable
            scratch.group(tokens, spec, new ExpertUse(experts));
            assertEquals(ranked, order(scratch), "seed " + seed);

            boolean[] in = new boolean[experts];
            int chance = random.nextInt(5); // none to all of them
            for (int e = 0; e < experts; e++) in[e] = random.nextInt(4) < chance;
            int ready = scratch.tell((chosen, count, there) -> {
                assertArrayEquals(ranked.stream().mapToInt(e -> e).toArray(), Arrays.copyOf(chosen, count));
                for (int i = 0; i < count; i++) there[i] = in[chosen[i]];
            });
            List<Integer> expected = new ArrayList<>(ranked.stream().filter(e -> in[e]).toList());
            assertEquals(expected.size(), ready, "seed " + seed);
            ranked.stream().filter(e -> !in[e]).forEach(expected::add);
            assertEquals(expected, order(scratch), "seed " + seed);
        }
    }

    private static List<Integer> order(MoeScratch scratch) {
        List<Integer> experts = new ArrayList<>();
        for (int i = 0; i < scratch.segmentCount; i++) experts.add(scratch.segmentExperts[scratch.order(i)]);
        return experts;
    }
}
