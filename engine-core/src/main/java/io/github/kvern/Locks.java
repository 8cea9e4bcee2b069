package io.github.kvern;

import java.util.Optional;
import java.util.OptionalLong;

/// What of a planned model is locked in memory.
///
/// @param all whether all matrices are, as [LoadMode#LOCK] does
/// @param unlocked mapped bytes that are not locked in any case: headers, and vectors, which are copied to the heap
/// @param experts bytes of routed experts to lock at most
/// @param weights as planned
/// @param limit bytes that may be locked, if there is a limit
record Locks(boolean all, long unlocked, long experts, MemoryPlan.Weights weights, OptionalLong limit) {
    /// Locked bytes of the mapping.
    long mappedBytes(Fit.Case c) {
        if (!c.locks()) return 0;
        if (all) return c.mapped() - unlocked;
        return Math.min(experts, routed(c.packed() > 0));
    }

    /// All locked bytes.
    long bytes(Fit.Case c) {
        return mappedBytes(c) + (all && c.locks() ? c.packed() + weights.ownBytes() : 0);
    }

    /// Why locking will be refused, if it will be.
    Optional<String> refusal(Fit.Case c) {
        if (!c.locks()) return Optional.empty();
        boolean packsExperts = c.packed() > 0
                && weights.shares().stream().anyMatch(s -> s.part() == MemoryPlan.Part.ROUTED_EXPERTS && s.packedBytes() > 0);
        if (experts > 0 && packsExperts) return Optional.of(ModelExperts.PACKED);
        if (limit.isEmpty() || bytes(c) <= limit.getAsLong()) return Optional.empty();
        return Optional.of("locking takes " + Fit.size(bytes(c)) + ", this process may lock " + limit.getAsLong()
                + " bytes (ulimit -l, RLIMIT_MEMLOCK): raise the limit");
    }

    private long routed(boolean asPlanned) {
        return weights.shares().stream().filter(s -> s.part() == MemoryPlan.Part.ROUTED_EXPERTS)
                .mapToLong(s -> asPlanned ? s.mappedBytes() : s.fileBytes()).sum();
    }
}
