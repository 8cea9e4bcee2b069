package io.github.kvern.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Optional;

/// Memory for what is large and read again and again, in pages of 2 MB where the operating system has them to give: a walk through it
/// then asks the processor's table of addresses five hundred times less often. Linux is asked for them (`MADV_HUGEPAGE`) if this module
/// has native access; otherwise memory comes from the arena as always.
///
/// What is asked for one after the other lies side by side, because a large page is given only where all of it is one piece of
/// memory. Nothing is there before it is touched; what touches it first decides which processor it is near to. Thread-safe.
public final class LargePages implements SegmentAllocator {
    private static final long LARGE_PAGE_BYTES = 2 << 20;
    /// Asked of the system at once, at least. What of it is never touched costs addresses, not memory.
    private static final long SLAB_BYTES = 256 << 20;
    /// Later slabs are this part of all before, for each loses what was asked for last and did not fit: pages of 2 MB that are there
    /// because of their first few bytes.
    private static final long GROWTH = 4;

    private final MemoryCalls system;
    private final Arena arena;
    private MemorySegment slab = MemorySegment.NULL;
    private long used;
    private long before;

    private LargePages(MemoryCalls system, Arena arena) {
        this.system = system;
        this.arena = arena;
    }

    /// An allocator whose memory lives as long as an arena.
    ///
    /// @return the arena itself if the system cannot be asked
    public static SegmentAllocator in(Arena arena) {
        return in(arena, MemoryCalls.find());
    }

    static SegmentAllocator in(Arena arena, Optional<MemoryCalls> calls) {
        return calls.isPresent() ? new LargePages(calls.get(), arena) : arena;
    }

    /// Memory of zeros.
    ///
    /// @param byteSize 0 or more
    /// @param byteAlignment a power of two, at most 2 MB
    @Override
    public synchronized MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteAlignment > LARGE_PAGE_BYTES) throw new IllegalArgumentException("alignment of " + byteAlignment + " bytes");
        long at = Math.ceilDiv(used, byteAlignment) * byteAlignment;
        if (byteSize > slab.byteSize() - at) {
            long bytes = Math.ceilDiv(Math.max(byteSize, before / GROWTH), LARGE_PAGE_BYTES) * LARGE_PAGE_BYTES;
            bytes = Math.max(SLAB_BYTES, bytes);
            // the system places memory at its own small pages, so that much more is needed to find a border of large ones inside
            long address = system.map(bytes + LARGE_PAGE_BYTES);
            if (address == -1) return arena.allocate(byteSize, byteAlignment); // no such addresses: smaller pieces may still be found
            MemorySegment all = system.segment(address, bytes + LARGE_PAGE_BYTES, arena);
            slab = all.asSlice(-address & LARGE_PAGE_BYTES - 1, bytes);
            system.advise(slab.address(), bytes, MemoryCalls.HUGE_PAGES); // refused by a system without them: small ones then
            before += bytes;
            used = at = 0;
        }
        used = at + byteSize;
        return slab.asSlice(at, byteSize);
    }
}
