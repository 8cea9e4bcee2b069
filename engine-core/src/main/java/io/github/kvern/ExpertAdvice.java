package io.github.kvern;

import io.github.kvern.engine.layer.MemoryLimits;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What locking the hottest experts of a model that is larger than its memory would save. A model of the system's cache, not a
/// measurement: experts are taken to be used independently of each other and of the step before, each as often as the trace says, and the
/// cache to drop what was used longest ago (Che's approximation: what is used within a certain time is still there). `repeats` beside
/// `expectedRepeats` tells how far that is from the truth: where experts repeat more often than by chance, a cache does better than worked out
/// here, and locking worse.
///
/// @param expertBytes of all routed experts in the trace
/// @param memoryBytes that are there for them
/// @param lockedBytes of the experts that would be locked
/// @param missedWithout bytes that a step reads from the disk with nothing locked
/// @param missedWith bytes that a step reads with them locked, and the rest of the memory left to the cache
/// @param repeats share of uses that followed a use in the step before
/// @param expectedRepeats what that share would be by chance
/// @param usesPerExpert how often an expert of the trace was used on average
public record ExpertAdvice(long expertBytes, long memoryBytes, long lockedBytes, double missedWithout, double missedWith, double repeats,
        double expectedRepeats, double usesPerExpert) {
    /// Less than this share of the reading is not worth a limit that somebody has to raise.
    private static final double WORTH = 0.05;
    /// With fewer uses than this, who was used most is mostly chance.
    private static final double ENOUGH = 20;

    /// What is there for routed experts when nobody says: three quarters of the machine's or the container's memory.
    public static long defaultMemoryBytes() {
        return MemoryLimits.here().machine() / 4 * 3;
    }

    static ExpertAdvice of(ExpertTrace trace, long memoryBytes, long lockBytes) {
        List<ExpertStats> all = trace.experts();
        Set<ExpertStats> locked = new HashSet<>(trace.hottest(Math.min(lockBytes, memoryBytes)));
        List<ExpertStats> rest = all.stream().filter(s -> !locked.contains(s)).toList();
        long bytes = all.stream().mapToLong(ExpertStats::bytes).sum(), held = locked.stream().mapToLong(ExpertStats::bytes).sum();
        double uses = 0, repeats = 0, expected = 0;
        for (ExpertStats s : all) {
            uses += s.uses();
            repeats += s.repeats();
            expected += s.uses() * rate(s);
        }
        return new ExpertAdvice(bytes, memoryBytes, held, missed(all, memoryBytes), missed(rest, memoryBytes - held),
                uses == 0 ? 0 : repeats / uses, uses == 0 ? 0 : expected / uses, all.isEmpty() ? 0 : uses / all.size());
    }

    /// Uses in a step.
    private static double rate(ExpertStats s) {
        return s.layerSteps() == 0 ? 0 : (double) s.uses() / s.layerSteps();
    }

    /// Bytes that a step misses, with a cache of this size.
    private static double missed(List<ExpertStats> experts, long memory) {
        double used = 0;
        for (ExpertStats s : experts) if (s.uses() > 0) used += s.bytes();
        if (used <= memory) return 0;
        double low = 0, high = 1;
        while (held(experts, high) < memory && high < 1e15) high *= 2;
        for (int i = 0; i < 100; i++) {
            double middle = (low + high) / 2;
            if (held(experts, middle) < memory) low = middle;
            else high = middle;
        }
        double missed = 0;
        for (ExpertStats s : experts) missed += s.bytes() * rate(s) * StrictMath.pow(1 - rate(s), low);
        return missed;
    }

    /// Bytes used within so many steps.
    private static double held(List<ExpertStats> experts, double steps) {
        double sum = 0;
        for (ExpertStats s : experts) sum += s.bytes() * (1 - StrictMath.pow(1 - rate(s), steps));
        return sum;
    }

    /// Whether locking would spare at least a twentieth of what is read.
    public boolean pays() {
        return missedWith < missedWithout * (1 - WORTH);
    }

    /// Whether the trace is too short to tell the hot experts from those that luck used more often.
    public boolean isThin() {
        return usesPerExpert < ENOUGH;
    }
}
