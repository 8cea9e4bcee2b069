package io.github.kvern.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Linux's calls about memory, by their numbers. Addresses go as plain numbers: nothing is allocated for a call, and only calls that
/// may fail for a reason worth telling ask for `errno`.
final class MemoryCalls {
    static final int NORMAL = 0, RANDOM = 1, SEQUENTIAL = 2, WILL_NEED = 3, DONT_NEED = 4, HUGE_PAGES = 14, POPULATE_READ = 22;
    /// What `errno` says: the call came at a bad moment and may be tried again, or the limit is reached, or there is no such right.
    static final int EAGAIN = 11, ENOMEM = 12, EPERM = 1;

    private static final int RLIMIT_MEMLOCK = 8;
    private static final int MLOCK_ONFAULT = 1;
    private static final int PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x2 | 0x20 | 0x4000;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private final MethodHandle madvise;
    private final MethodHandle mlock;
    private final MethodHandle munlock;
    private final MethodHandle mincore;
    private final MethodHandle getrlimit;
    private final Optional<MethodHandle> lockOnFault;
    private final MethodHandle mmap;
    private final MethodHandle munmap;
    private final int pageBytes;
    private final boolean populates;
    private final boolean readsLargePages;

    private MemoryCalls(Linker linker) {
        madvise = find(linker, "madvise", FunctionDescriptor.of(INT, LONG, LONG, INT)).orElseThrow();
        mlock = find(linker, "mlock", FunctionDescriptor.of(INT, LONG, LONG), Linker.Option.captureCallState("errno")).orElseThrow();
        munlock = find(linker, "munlock", FunctionDescriptor.of(INT, LONG, LONG)).orElseThrow();
        mincore = find(linker, "mincore", FunctionDescriptor.of(INT, LONG, LONG, ValueLayout.ADDRESS)).orElseThrow();
        getrlimit = find(linker, "getrlimit", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS)).orElseThrow();
        lockOnFault = find(linker, "mlock2", FunctionDescriptor.of(INT, LONG, LONG, INT), Linker.Option.captureCallState("errno"));
        mmap = find(linker, "mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG)).orElseThrow();
        munmap = find(linker, "munmap", FunctionDescriptor.of(INT, LONG, LONG)).orElseThrow();
        MethodHandle getpagesize = find(linker, "getpagesize", FunctionDescriptor.of(INT)).orElseThrow();
        try {
            pageBytes = (int) getpagesize.invokeExact();
        } catch (Throwable e) {
            throw mistake(e);
        }
        if (Integer.bitCount(pageBytes) != 1) throw new IllegalStateException("pages of " + pageBytes + " bytes");
        populates = advise(0, 0, POPULATE_READ); // an advice that the system does not know is refused for no bytes too
        readsLargePages = populates && isAtLeast(System.getProperty("os.version", ""), 5, 18);
    }

    /// Whether a version like `6.18.44-generic` is that or a later one.
    static boolean isAtLeast(String version, int major, int minor) {
        Matcher numbers = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})").matcher(version);
        if (!numbers.lookingAt()) return false;
        int first = Integer.parseInt(numbers.group(1));
        return first > major || first == major && Integer.parseInt(numbers.group(2)) >= minor;
    }

    /// The calls, if this is a system that has them and this module may make them. Asks for nothing that would bring a warning. They are
    /// looked up once in a process.
    static Optional<MemoryCalls> find() {
        boolean linux = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux");
        if (!linux || LONG.byteSize() != ValueLayout.ADDRESS.byteSize()) return Optional.empty();
        return MemoryCalls.class.getModule().isNativeAccessEnabled() ? Found.HERE : Optional.empty(); // which it may become later
    }

    private static final class Found {
        static final Optional<MemoryCalls> HERE = lookUp();

        private static Optional<MemoryCalls> lookUp() {
            try {
                return Optional.of(new MemoryCalls(Linker.nativeLinker()));
            } catch (RuntimeException | LinkageError e) { // a system without a linker, or a C library without these
                return Optional.empty();
            }
        }
    }

    @SuppressWarnings("restricted") // asked only after access was found to be enabled
    private static Optional<MethodHandle> find(Linker linker, String name, FunctionDescriptor type, Linker.Option... options) {
        return linker.defaultLookup().find(name).map(address -> linker.downcallHandle(address, type, options));
    }

    int pageBytes() {
        return pageBytes;
    }

    /// Whether pages can be brought in by one call.
    boolean populates() {
        return populates;
    }

    /// Whether a fault in a mapping that large pages were asked for reads 2 MB, whatever was said of the order: since Linux 5.18. Before,
    /// one with random access reads 4 KB.
    boolean readsLargePages() {
        return readsLargePages;
    }

    /// @return whether the system accepted it
    boolean advise(long address, long bytes, int advice) {
        try {
            return (int) madvise.invokeExact(address, bytes, advice) == 0;
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    /// Keeps pages in memory from when they are touched; from now on where the system knows no better.
    ///
    /// @return 0, or `errno`
    int lock(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int failed = lockOnFault.isPresent() ? (int) lockOnFault.get().invokeExact(state, address, bytes, MLOCK_ONFAULT)
                    : (int) mlock.invokeExact(state, address, bytes);
            return failed == 0 ? 0 : (int) ERRNO.get(state, 0L);
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    boolean unlock(long address, long bytes) {
        try {
            return (int) munlock.invokeExact(address, bytes) == 0;
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    /// Fresh memory, all zeros, of which nothing is there before it is touched.
    ///
    /// @return its address, or -1
    long map(long bytes) {
        try {
            return (long) mmap.invokeExact(0L, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    /// A segment over what [#map] gave; the arena's end gives it back.
    @SuppressWarnings("restricted") // asked only after access was found to be enabled
    MemorySegment segment(long address, long bytes, Arena arena) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, s -> unmap(s.address(), bytes));
    }

    private void unmap(long address, long bytes) {
        try {
            int failed = (int) munmap.invokeExact(address, bytes);
            assert failed == 0 : "munmap of " + bytes + " bytes";
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    /// A byte for each page, odd for one that is in memory.
    boolean resident(long address, long bytes, MemorySegment pages) {
        try {
            return (int) mincore.invokeExact(address, bytes, pages) == 0;
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    /// The soft and the hard limit of locked bytes, `Long.MAX_VALUE` for none; empty if the system does not tell.
    List<Long> lockLimits() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limits = arena.allocate(LONG, 2);
            if ((int) getrlimit.invokeExact(RLIMIT_MEMLOCK, limits) != 0) return List.of();
            return List.of(limit(limits.getAtIndex(LONG, 0)), limit(limits.getAtIndex(LONG, 1)));
        } catch (Throwable e) {
            throw mistake(e);
        }
    }

    private static long limit(long unsigned) {
        return unsigned < 0 ? Long.MAX_VALUE : unsigned;
    }

    /// A call of a C function throws nothing.
    private static RuntimeException mistake(Throwable e) {
        if (e instanceof Error error) throw error;
        return e instanceof RuntimeException r ? r : new IllegalStateException(e);
    }
}
