package io.github.kvern.engine.run;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.PagePool;
import java.lang.management.ManagementFactory;
import java.util.List;

/// How much memory the cache may take, from the options and the machine's size, never from what is free at the moment.
public final class CacheBudget {
    private static final int PAGE = 64;

    private CacheBudget() {
    }

    /// The budget in bytes.
    ///
    /// @param asked 0 for half of the memory that this process may use, and no more than it may take outside the heap
    public static long bytes(long asked) {
        if (asked > 0) return asked;
        if (!(ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os)) return direct();
        return Math.min(os.getTotalMemorySize() / 2, direct());
    }

    private static long direct() {
        var hotspot = ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
        long limit = hotspot == null ? 0 : Long.parseLong(hotspot.getVMOption("MaxDirectMemorySize").getValue());
        return limit > 0 ? limit : Runtime.getRuntime().maxMemory();
    }

    /// Refuses a context that can never fit.
    public static void check(PagePool pool, List<KvLayout> groups, int context) {
        long needed = 0;
        for (int g = 0; g < groups.size(); g++) {
            int chunk = groups.get(g).chunk();
            long positions = chunk == 0 ? context : Math.min(context, chunk);
            needed += (positions + PAGE - 1) / PAGE * pool.pageBytes(g);
        }
        if (needed > pool.budgetBytes()) {
            throw new MemoryBudgetException("a context of " + context + " tokens needs " + needed + " bytes of cache, available are "
                    + pool.budgetBytes()
                    + ": lower the context (-c), use an F16 cache (--kv f16), or give the JVM more memory (-Xmx or -XX:MaxDirectMemorySize)");
        }
    }
}
