package io.github.kvern.kvcache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The keys and values of [PagePool#POSITIONS] positions in all layers of one group. The memory is its own, so that a page of one
/// group can make way for a page of another. Counts who holds it; guarded by the pool's lock.
final class Page {
    final MemorySegment memory;
    private final Arena arena;
    int references;
    /// Whether something infinite or not a number was stored since the page was taken. Set by storing workers, read by regions that
    /// run later.
    boolean oddities;

    private Page(Arena arena, MemorySegment memory) {
        this.arena = arena;
        this.memory = memory;
    }

    /// Stands in a sequence's table where there is no page. It has no bytes, so a use by mistake is an exception.
    static Page none() {
        return new Page(Arena.global(), MemorySegment.NULL);
    }

    /// @throws OutOfMemoryError when the operating system has no more
    static Page allocate(long bytes) {
        Arena arena = Arena.ofShared();
        try {
            return new Page(arena, arena.allocate(bytes, 64));
        } catch (Throwable failed) {
            arena.close();
            throw failed;
        }
    }

    void free() {
        arena.close();
    }
}
