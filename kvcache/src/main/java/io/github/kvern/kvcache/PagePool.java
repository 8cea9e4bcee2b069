package io.github.kvern.kvcache;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.kernels.AttentionOps;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// All cached keys and values of a model: off-heap pages of [#POSITIONS] positions under one byte budget. Every group of layers
/// has pages of its own size. Pages given back are kept for the next taker, and make way when another group needs the room.
///
/// Thread-safe. Closing frees the memory at once: sequences of a closed pool are only good for closing.
public final class PagePool implements AutoCloseable {
    /// Positions in a page.
    public static final int POSITIONS = AttentionOps.BLOCK;

    private final List<KvLayout> groups;
    private final long[] pageBytes;
    private final long budget;
    private final boolean backed;
    private final List<ArrayDeque<Page>> idle = new ArrayList<>();
    private final List<Page> all = new ArrayList<>();
    private final Page none = Page.none();
    private long used;
    private long idleBytes;
    private boolean closed;

    /// @param groups one layout for each group of layers
    /// @param budgetBytes upper bound on the bytes of all pages
    /// @throws MemoryBudgetException when the budget does not hold one page of every group, the least a sequence needs
    public PagePool(List<KvLayout> groups, long budgetBytes) {
        this(groups, budgetBytes, true);
    }

    /// A pool whose pages are counted and have no memory: for finding out how many a sequence takes.
    public static PagePool unbacked(List<KvLayout> groups) {
        return new PagePool(groups, Long.MAX_VALUE / 2, false);
    }

    private PagePool(List<KvLayout> groups, long budgetBytes, boolean backed) {
        this.backed = backed;
        this.groups = List.copyOf(groups);
        if (this.groups.isEmpty()) throw new IllegalArgumentException("a cache needs at least one group of layers");
        pageBytes = this.groups.stream().mapToLong(KvLayout::pageBytes).toArray();
        budget = budgetBytes;
        long least = 0;
        for (long bytes : pageBytes) {
            least = Math.addExact(least, bytes);
            idle.add(new ArrayDeque<>());
        }
        if (least > budgetBytes) throw tooSmall(POSITIONS, least, budgetBytes);
    }

    /// A new, empty sequence.
    public Sequence sequence() {
        return new Sequence(this);
    }

    /// The layouts, one for each group.
    public List<KvLayout> groups() {
        return groups;
    }

    /// Bytes of one page of a group.
    public long pageBytes(int group) {
        return pageBytes[group];
    }

    /// Bytes of all pages that sequences hold.
    public synchronized long usedBytes() {
        return used;
    }

    /// Bytes of all pages that there are, whether a sequence holds them or not.
    synchronized long heldBytes() {
        long held = 0;
        for (Page page : all) if (page.memory.scope().isAlive()) held += page.memory.byteSize();
        return held;
    }

    /// Bytes that all pages together may have.
    public long budgetBytes() {
        return budget;
    }

    /// Frees all pages. Must not be called while a step runs.
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        for (Page page : all) page.free();
        all.clear();
        for (ArrayDeque<Page> pages : idle) pages.clear();
        used = 0;
        idleBytes = 0;
    }

    Page none() {
        return none;
    }

    /// The bytes of so many pages of each group, which the budget has.
    synchronized long check(int[] missing, int positions) {
        if (closed) throw new IllegalStateException("the cache is closed");
        long needed = 0;
        for (int g = 0; g < missing.length; g++) needed = Math.addExact(needed, Math.multiplyExact(missing[g], pageBytes[g]));
        if (needed > budget - used) throw tooSmall(positions, needed, budget - used);
        return needed;
    }

    /// Takes pages for every group, or none at all.
    ///
    /// @param missing pages wanted of each group
    /// @param targets where they go, from `at` on
    /// @param positions for the message
    synchronized void take(int[] missing, Page[][] targets, int[] at, int positions) {
        long needed = check(missing, positions);
        int group = 0, taken = 0;
        try {
            for (; group < missing.length; group++)
                for (taken = 0; taken < missing[group]; taken++) targets[group][at[group] + taken] = take(group);
        } catch (OutOfMemoryError refused) {
            for (int g = 0; g <= group; g++)
                for (int i = 0; i < (g < group ? missing[g] : taken); i++) {
                    giveBack(g, targets[g][at[g] + i]);
                    targets[g][at[g] + i] = none;
                }
            throw new MemoryBudgetException(
                    "the operating system has no memory for " + mib(needed) + " more of keys and values (" + mib(used)
                            + " are in use): lower the context size (-c) or take a smaller cache type (--kv)");
        }
    }

    private Page take(int group) {
        Page page;
        if (idle.get(group).isEmpty()) {
            for (int g = 0; used + idleBytes + pageBytes[group] > budget;) {
                if (idle.get(g).isEmpty()) {
                    g++; // ends: what is used and this page fit into the budget, so some group has idle pages
                    continue;
                }
                Page other = idle.get(g).pop();
                idleBytes -= pageBytes[g];
                all.remove(other);
                other.free();
            }
            page = backed ? Page.allocate(pageBytes[group]) : Page.none();
            if (backed) all.add(page);
        } else {
            page = idle.get(group).pop();
            idleBytes -= pageBytes[group];
        }
        used += pageBytes[group];
        page.references = 1;
        page.oddities = false;
        return page;
    }

    /// Gives a page back; the last holder's makes it free for others.
    synchronized void giveBack(int group, Page page) {
        if (closed || page == none || --page.references > 0) return;
        used -= pageBytes[group];
        idleBytes += pageBytes[group];
        idle.get(group).push(page);
    }

    private static MemoryBudgetException tooSmall(int positions, long needed, long available) {
        return new MemoryBudgetException("the key/value cache needs " + mib(needed) + " more for " + positions + " positions, but "
                + mib(Math.max(0, available)) + " of its budget are left: lower the context size (-c) or take a smaller cache type (--kv)");
    }

    private static String mib(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }
}
