package io.github.kvern.engine.layer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/// Weights that a model needs in another form than its file has them in, off the heap. Each is made once, however often the model's
/// weights are read while it is loaded. Belongs to one thread.
public final class Copies {
    private final Arena arena;
    private final boolean fills;
    private final Map<String, MemorySegment> made = new HashMap<>();
    private final Map<Long, MemorySegment> standIns = new HashMap<>();
    private long bytes;

    /// @param arena owns the copies
    public Copies(Arena arena) {
        this(arena, true);
    }

    /// Copies that are counted and not made: all of one size share memory that holds nothing.
    public static Copies counted() {
        return new Copies(Arena.ofAuto(), false);
    }

    private Copies(Arena arena, boolean fills) {
        this.arena = arena;
        this.fills = fills;
    }

    /// A tensor's copy.
    ///
    /// @param tensor its name: it has one copy
    /// @param size in bytes
    /// @param fill is called when there is none yet, with zeros
    MemorySegment of(String tensor, long size, Consumer<MemorySegment> fill) {
        MemorySegment copy = made.get(tensor);
        if (copy != null) return copy;
        copy = fills ? arena.allocate(size, 64) : standIns.computeIfAbsent(size, n -> arena.allocate(n, 64));
        if (fills) fill.accept(copy);
        made.put(tensor, copy);
        bytes += size;
        return copy;
    }

    /// Bytes of all copies.
    public long bytes() {
        return bytes;
    }
}
