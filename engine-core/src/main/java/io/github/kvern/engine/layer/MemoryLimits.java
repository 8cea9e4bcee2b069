package io.github.kvern.engine.layer;

import java.lang.management.ManagementFactory;

/// The memory that this process may ever have. Follows from the machine and the options of the JVM, never from what is free at the
/// moment.
///
/// @param machine bytes of the machine, or of the container that this process runs in
/// @param direct bytes that the JVM may take outside the heap
public record MemoryLimits(long machine, long direct) {
    /// The limits of this process. Asks the JVM's management, which takes some ten milliseconds the first time.
    public static MemoryLimits here() {
        return new MemoryLimits(readMachine(), readDirect());
    }

    /// What both allow.
    public long smaller() {
        return Math.min(machine, direct);
    }

    /// Which of the two is smaller, in words.
    public String smallerName() {
        return direct < machine ? "-XX:MaxDirectMemorySize, or by default -Xmx" : "the machine's or the container's memory";
    }

    private static long readMachine() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean os ? os.getTotalMemorySize()
                : Long.MAX_VALUE;
    }

    private static long readDirect() {
        var hotspot = ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
        long limit = hotspot == null ? 0 : Long.parseLong(hotspot.getVMOption("MaxDirectMemorySize").getValue());
        return limit > 0 ? limit : Runtime.getRuntime().maxMemory();
    }
}
