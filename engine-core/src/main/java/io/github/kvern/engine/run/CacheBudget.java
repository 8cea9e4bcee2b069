package io.github.kvern.engine.run;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.PagePool;
import java.lang.management.ManagementFactory;
import java.util.List;

/// How much memory the cache may take, from the options and the machine's size, never from what is free at the moment.
public final class CacheBudget {
    private CacheBudget() {
    }

    /// The budget in bytes.
    ///
    /// @param asked 0 for half of the memory that this process may use, and no more than it may take outside the heap
    /// @throws MemoryBudgetException more is asked for than this process may ever have
    public static long bytes(long asked) {
        long machine = machine(), direct = direct();
        if (asked == 0) return Math.min(machine / 2, direct);
        if (asked <= Math.min(machine, direct)) return asked;
        throw new MemoryBudgetException("a cache of " + asked + " bytes was asked for, available are " + Math.min(machine, direct) + " ("
                + (direct < machine ? "-XX:MaxDirectMemorySize, or by default -Xmx" : "the machine's or the container's memory")
                + "): lower ModelOptions.cacheBytes" + (direct < machine ? ", or raise -XX:MaxDirectMemorySize" : ""));
    }

    /// Of the machine, or of the container that this process runs in.
    private static long machine() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os ? os.getTotalMemorySize()
                : Long.MAX_VALUE;
    }

    private static long direct() {
        var hotspot = ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
        long limit = hotspot == null ? 0 : Long.parseLong(hotspot.getVMOption("MaxDirectMemorySize").getValue());
        return limit > 0 ? limit : Runtime.getRuntime().maxMemory();
    }

    /// Refuses a context that can never fit.
    ///
    /// @param microBatch rows of a step, which may reach from the end of one chunk into the next
    public static void check(PagePool pool, List<KvLayout> groups, int context, int microBatch) {
        long needed = 0;
        for (int g = 0; g < groups.size(); g++) {
            int chunk = groups.get(g).chunk();
            long pages = pages(context);
            if (chunk > 0) pages = Math.min(pages, pages((long) chunk + microBatch) + 1);
            needed += pages * pool.pageBytes(g);
        }
        if (needed > pool.budgetBytes()) {
            throw new MemoryBudgetException("a context of " + context + " tokens needs " + needed + " bytes of cache, available are "
                    + pool.budgetBytes()
                    + ": lower the context (-c), use an F16 cache (--kv f16), or give the JVM more memory (-Xmx or -XX:MaxDirectMemorySize)");
        }
    }

    private static long pages(long positions) {
        return (positions + PagePool.POSITIONS - 1) / PagePool.POSITIONS;
    }
}
