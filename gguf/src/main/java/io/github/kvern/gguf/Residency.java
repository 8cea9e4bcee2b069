package io.github.kvern.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/// Which parts of a file's mapping are in memory: brings them in, keeps them in, asks for them early, and counts them. Thread-safe.
///
/// With native access for this module (`--enable-native-access=io.github.kvern.gguf`, or `ALL-UNNAMED` on the class path) and on Linux
/// it asks the operating system. Otherwise [#prefault] reads a byte of each page, advice is not given, and what cannot be done without
/// the system says so. Native access is never taken where it was not given: no warning of the JVM comes from here.
///
/// Segments have to stay alive during a call. Those of a [GgufFile] do until it is closed. Whole pages are meant everywhere: where
/// a segment begins or ends inside a page, all of it is brought in, locked or asked for, and none of it is dropped.
public final class Residency {
    /// At once by one thread: long enough for a disk to read in one go, short enough to be cancelled soon.
    private static final long CHUNK_BYTES = 8 << 20;
    /// A page is no smaller on any system that Java runs on.
    private static final int LEAST_PAGE_BYTES = 4096;
    /// In whole pages, of whatever size.
    private static final long COUNTED_AT_ONCE = 64 << 20;

    private final Optional<MemoryCalls> calls;

    Residency(Optional<MemoryCalls> calls) {
        this.calls = calls;
    }

    /// What can be done in this process. The first call costs some ten milliseconds where there is native access.
    public static Residency here() {
        return new Residency(MemoryCalls.find());
    }

    /// What will be read, or how.
    public enum Advice {
        /// Soon: the system begins to read it, and the call comes back at once.
        WILL_NEED(MemoryCalls.WILL_NEED),
        /// Here and there: a page that is missing is read alone, not with those around it.
        RANDOM(MemoryCalls.RANDOM),
        /// In ascending order: the system reads far ahead.
        SEQUENTIAL(MemoryCalls.SEQUENTIAL),
        /// Often, and for long: where the system and the file's can, 2 MB are read and mapped as one page.
        LARGE_PAGES(MemoryCalls.HUGE_PAGES),
        /// In any order: takes back what was said of it before.
        NORMAL(MemoryCalls.NORMAL),
        /// Not soon: the process lets go of the pages. They stay in the system's cache while it has nothing better to do with the
        /// memory, and come back when they are read. Only for read-only mappings of a file, of which no byte can be lost.
        DROP(MemoryCalls.DONT_NEED);

        private final int number;

        Advice(int number) {
            this.number = number;
        }
    }

    Optional<MemoryCalls> calls() {
        return calls;
    }

    /// Whether the operating system can be asked.
    public boolean isNative() {
        return calls.isPresent();
    }

    /// Tells the operating system what to expect. Allocates nothing.
    ///
    /// @param segment off the heap
    /// @return whether it was told and did not refuse
    /// @throws IllegalArgumentException [Advice#DROP] for anything but a read-only mapping
    public boolean advise(MemorySegment segment, Advice advice) {
        boolean drops = advice == Advice.DROP;
        if (drops && !(segment.isMapped() && segment.isReadOnly()))
            throw new IllegalArgumentException("only pages of a read-only mapping can be dropped without a loss");
        if (calls.isEmpty() || segment.byteSize() == 0) return false;
        MemoryCalls system = calls.get();
        long page = system.pageBytes(), from = segment.address(), to = from + segment.byteSize();
        from = drops ? Math.ceilDiv(from, page) * page : Math.floorDiv(from, page) * page;
        if (drops) to = Math.floorDiv(to, page) * page;
        return from >= to || system.advise(from, to - from, advice.number);
    }

    /// How many bytes of a segment are in memory. For a mapping that means the system's cache, whether or not this process has looked at
    /// them; Linux tells the truth only to who owns the file or may write to it, and says "all" to others.
    ///
    /// @param segment off the heap
    /// @return 0 to its size; empty if the operating system cannot be asked
    public OptionalLong residentBytes(MemorySegment segment) {
        if (calls.isEmpty()) return OptionalLong.empty();
        long page = calls.get().pageBytes(), end = segment.address() + segment.byteSize(), resident = 0;
        long begin = Math.floorDiv(segment.address(), page) * page;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(Math.ceilDiv(Math.min(COUNTED_AT_ONCE, end - begin), page));
            for (long at = begin; at < end; at += COUNTED_AT_ONCE) {
                long bytes = Math.min(COUNTED_AT_ONCE, end - at);
                if (!calls.get().resident(at, bytes, pages)) return OptionalLong.empty();
                for (long p = 0; p * page < bytes; p++) {
                    long first = at + p * page;
                    if ((pages.get(ValueLayout.JAVA_BYTE, p) & 1) != 0)
                        resident += Math.min(end, first + page) - Math.max(segment.address(), first);
                }
            }
        }
        return OptionalLong.of(resident);
    }

    /// Brings all pages of some segments into memory, and comes back when they are there. What the system needs for something else
    /// meanwhile it may take away again.
    ///
    /// @param segments off the heap; brought in in this order
    /// @param threads that read at the same time, 1 or more, this one among them
    /// @param progress told the bytes that are done, on this thread; what it throws ends the work and comes out of here
    /// @throws InterruptedException when this thread was interrupted; the work has ended
    /// @throws InternalError a page cannot be read: its file was cut short, or the disk failed
    public void prefault(List<MemorySegment> segments, int threads, LongConsumer progress) throws InterruptedException {
        List<MemorySegment> chunks = new ArrayList<>();
        for (MemorySegment segment : segments)
            for (long at = 0; at < segment.byteSize(); at += CHUNK_BYTES)
                chunks.add(segment.asSlice(at, Math.min(CHUNK_BYTES, segment.byteSize() - at)));
        new SharedWork(chunks.size(), i -> bringIn(chunks.get(i)), i -> chunks.get(i).byteSize()).run(threads, progress);
    }

    private void bringIn(MemorySegment chunk) {
        if (calls.isPresent() && calls.get().populates()) {
            MemoryCalls system = calls.get();
            long page = system.pageBytes(), from = Math.floorDiv(chunk.address(), page) * page;
            if (system.advise(from, chunk.address() + chunk.byteSize() - from, MemoryCalls.POPULATE_READ)) return;
        }
        touch(chunk); // also where the system could not: then this says why
    }

    private static void touch(MemorySegment chunk) {
        if (chunk.isMapped()) {
            chunk.load(); // asks the system for all of it first, without native access
            return;
        }
        int sum = 0;
        for (long at = 0; at < chunk.byteSize(); at += LEAST_PAGE_BYTES) sum += chunk.get(ValueLayout.JAVA_BYTE, at);
        if (sum == Integer.MIN_VALUE) throw new AssertionError("bytes add up to less"); // the sum is used, so the loop is not left out
    }

    /// Locks segments in memory, and brings all their pages in as [#prefault] does. They stay there until [#unlock], or until their memory
    /// is unmapped. When this does not come to its end, nothing stays locked.
    ///
    /// @param segments off the heap
    /// @param threads that read at the same time, 1 or more, this one among them
    /// @param progress told the bytes that are done, on this thread; what it throws ends the work and comes out of here
    /// @throws MemoryBudgetException more than this process may lock; the message says how much and what to do
    /// @throws UnsupportedOperationException without native access, or on another system than Linux: see [#requireLocking()]
    /// @throws InterruptedException when this thread was interrupted; the work has ended
    public void lock(List<MemorySegment> segments, int threads, LongConsumer progress) throws InterruptedException {
        requireLocking();
        long bytes = segments.stream().mapToLong(MemorySegment::byteSize).sum();
        boolean locked = false;
        int begun = 0;
        try {
            for (MemorySegment segment : segments) {
                if (segment.byteSize() == 0) continue;
                begun++;
                int error = lock(segment);
                if (error != 0) throw refused(bytes, error, calls.orElseThrow().lockLimits());
            }
            prefault(segments, threads, progress);
            locked = true;
        } finally {
            if (!locked) segments.stream().filter(s -> s.byteSize() > 0).limit(begun).forEach(this::unlock);
        }
    }

    private int lock(MemorySegment segment) {
        MemoryCalls system = calls.orElseThrow();
        long page = system.pageBytes(), from = Math.floorDiv(segment.address(), page) * page;
        return system.lock(from, segment.address() + segment.byteSize() - from);
    }

    /// Says why memory cannot be locked here at all, if it cannot.
    ///
    /// @throws UnsupportedOperationException without native access, or on another system than Linux
    public void requireLocking() {
        if (calls.isPresent()) return;
        boolean enabled = Residency.class.getModule().isNativeAccessEnabled();
        Module module = Residency.class.getModule();
        throw new UnsupportedOperationException("locking memory needs " + (enabled ? "Linux" : "native access: start the JVM with "
                + "--enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED")) + ", or prefault instead");
    }

    /// What to say when the system refuses.
    ///
    /// @param limits soft and hard, or none
    static MemoryBudgetException refused(long bytes, int error, List<Long> limits) {
        String may = limits.isEmpty() ? "an unknown amount" : limits.getFirst() == Long.MAX_VALUE ? "any amount"
                : limits.getFirst() + " bytes" + (limits.getLast().equals(limits.getFirst()) ? ""
                        : limits.getLast() == Long.MAX_VALUE ? " (it may raise that itself to any)"
                                : " (it may raise that itself to " + limits.getLast() + ")");
        return new MemoryBudgetException("locking needs " + bytes + " bytes, this process may lock " + may
                + " (ulimit -l, RLIMIT_MEMLOCK), and the system refused (error " + error + "): raise the limit (ulimit -l unlimited; "
                + "LimitMEMLOCK=infinity in a systemd unit; --ulimit memlock=-1 for a container)");
    }

    /// Lets pages go that were locked. Does nothing without native access.
    ///
    /// @param segment off the heap
    /// @return whether the system did so
    public boolean unlock(MemorySegment segment) {
        if (calls.isEmpty() || segment.byteSize() == 0) return false;
        MemoryCalls system = calls.get();
        long page = system.pageBytes(), from = Math.floorDiv(segment.address(), page) * page;
        return system.unlock(from, segment.address() + segment.byteSize() - from);
    }
}
