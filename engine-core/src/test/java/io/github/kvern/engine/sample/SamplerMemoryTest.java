package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.github.kvern.Sampling;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SamplerMemoryTest {
    private static final int VOCABULARY = 20_000;

    /// A single buffer of a token's logits would be 80,000 bytes each time; what is allowed is what the measuring itself may take.
    @Test
    void doesNotAllocateForATokenOnceItIsWarm() throws ReflectiveOperationException {
        Sampling all = Sampling.defaults().temperature(1).topK(0).topP(1).minP(0);
        Sampling[] samplings = {Sampling.greedy(), Sampling.defaults(), all, all.typical(0.9f).topP(0.9f).minP(0.1f), all.topK(15_000),
                Sampling.defaults().repeatPenalty(1.1f).logitBias(3, 1).logProbabilities(true)};
        float[] logits = new float[VOCABULARY];
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < VOCABULARY; i++) logits[i] = random.nextInt(1000) / 50f;
        for (Sampling sampling : samplings) {
            Sampler sampler = new Sampler(sampling, VOCABULARY, 1);
            draw(sampler, logits);
            long before = allocatedBytes();
            draw(sampler, logits);
            long bytes = allocatedBytes() - before;
            assertTrue(bytes < 50 * 200, sampling + " allocated " + bytes + " bytes for 50 tokens");
        }
    }

    private static void draw(Sampler sampler, float[] logits) {
        for (int i = 0; i < 50; i++) sampler.accept(sampler.sample(logits, 0));
    }

    /// By reflection, as the engine's module, which this test is compiled into, does not read the management modules.
    private static long allocatedBytes() throws ReflectiveOperationException {
        Object threads = Class.forName("java.lang.management.ManagementFactory").getMethod("getThreadMXBean").invoke(null);
        Class<?> hotSpot = Class.forName("com.sun.management.ThreadMXBean");
        if (!hotSpot.isInstance(threads)) abort("this Java does not count a thread's allocations");
        return (long) hotSpot.getMethod("getCurrentThreadAllocatedBytes").invoke(threads);
    }
}
