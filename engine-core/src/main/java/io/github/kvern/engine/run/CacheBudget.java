package io.github.kvern.engine.run;

import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.PagePool;
import java.util.List;

/// How much memory the cache may take, from the options and the machine's size, never from what is free at the moment.
public final class CacheBudget {
    private CacheBudget() {
    }

    /// The budget in bytes.
    ///
    /// @param asked 0 for half of the memory that this process may use; together with weights off the heap at most three quarters of it, and
    ///   no more than the process may take outside the heap
    /// @param weights bytes of weights outside the heap: packed, or copied
    /// @throws MemoryBudgetException more is asked for than this process may ever have
    public static long bytes(long asked, long weights, MemoryLimits limits) {
        long machine = limits.machine();
        if (asked == 0) return Math.max(0, Math.min(Math.min(machine / 2, machine / 4 * 3 - weights), limits.direct() - weights));
        if (asked <= limits.smaller() - weights) return asked;
        throw new MemoryBudgetException("a cache of " + asked + " bytes was asked for, available are "
                + Math.max(0, limits.smaller() - weights) + " (" + limits.smallerName()
                + (weights == 0 ? "" : ", less " + weights + " bytes of weights in memory") + "): lower ModelOptions.cacheBytes"
                + (weights == 0 ? "" : ", leave the weights mapped")
                + (limits.direct() < machine ? ", or raise -XX:MaxDirectMemorySize" : ""));
    }

    /// Refuses a context that can never fit.
    ///
    /// @param microBatch rows of a step, which may reach from the end of one chunk or window into the next
    public static void check(PagePool pool, List<KvLayout> groups, int context, int microBatch) {
        long needed = 0;
        for (int g = 0; g < groups.size(); g++) {
            int range = groups.get(g).visible().size();
            long pages = pages(context);
            if (range > 0) pages = Math.min(pages, pages((long) range + microBatch) + 1);
            needed += pages * pool.pageBytes(g);
        }
        if (needed > pool.budgetBytes()) {
            boolean halves = groups.stream().anyMatch(g -> g.storage() == TensorType.F32);
            throw new MemoryBudgetException("a context of " + context + " tokens needs " + needed + " bytes of cache, available are "
                    + pool.budgetBytes()
                    + ": lower the context (-c), " + (halves ? "use an F16 cache (--kv f16), " : "")
                    + "or give the JVM more memory (-Xmx or -XX:MaxDirectMemorySize)");
        }
    }

    private static long pages(long positions) {
        return (positions + PagePool.POSITIONS - 1) / PagePool.POSITIONS;
    }
}
