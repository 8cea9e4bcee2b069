package io.github.kvern.kvcache;

import java.util.Arrays;
import java.util.List;

/// One conversation in the cache: a table of pages for each group of layers. [#reserve] makes room, a step writes and reads, and
/// [#advance] keeps what the step wrote.
///
/// Used by one thread at a time (the driver of steps).
public final class Sequence implements AutoCloseable {
    private final PagePool pool;
    private final List<KvLayout> groups;
    private final Page[][] pages; // by group and by position / POSITIONS
    private final int[] gone; // by group: so many pages from the start were given back
    private final int[] end; // by group: so many entries of the table count
    private final int[] missing;
    private int length;
    private boolean closed;

    Sequence(PagePool pool) {
        this.pool = pool;
        groups = pool.groups();
        pages = new Page[groups.size()][0];
        gone = new int[groups.size()];
        end = new int[groups.size()];
        missing = new int[groups.size()];
    }

    /// Positions stored by completed steps.
    public int length() {
        return length;
    }

    /// Pages of a group that this sequence holds.
    public int pages(int group) {
        return end[group] - gone[group];
    }

    /// Makes room for the next `positions` positions, from [#length()] on, in every group.
    ///
    /// @throws io.github.kvern.gguf.MemoryBudgetException when the pool's budget does not hold them; nothing is lost then
    public void reserve(int positions) {
        if (closed) throw new IllegalStateException("the sequence is closed");
        if (positions < 0 || positions > Integer.MAX_VALUE - PagePool.POSITIONS - length)
            throw new IllegalArgumentException("cannot reserve " + positions + " positions after " + length);
        int wanted = blocks(length + positions);
        for (int g = 0; g < pages.length; g++) missing[g] = Math.max(0, wanted - end[g]);
        pool.check(missing, positions); // before the tables grow
        for (int g = 0; g < pages.length; g++) {
            int room = pages[g].length;
            if (room >= wanted) continue;
            pages[g] = Arrays.copyOf(pages[g], Math.max(wanted, room + room / 2 + 4));
            Arrays.fill(pages[g], room, pages[g].length, pool.none());
        }
        pool.take(missing, pages, end, positions);
        for (int g = 0; g < pages.length; g++) end[g] += missing[g];
    }

    /// Counts the positions that a step has stored. Pages of a group that no later position sees go back to the pool.
    ///
    /// @param positions at most as many as were reserved
    public void advance(int positions) {
        if (positions < 0 || blocks(Math.addExact(length, positions)) > end[0])
            throw new IllegalStateException("a step stored " + positions + " positions after " + length + ", more than were reserved");
        length += positions;
        for (int g = 0; g < pages.length; g++)
            giveBack(g, gone[g], Math.min(end[g], groups.get(g).firstVisible(length) / PagePool.POSITIONS), true);
    }

    /// The last position, at most `position`, from which the sequence can go on after a [#truncate]: `position` itself, unless pages
    /// that it would see have gone back to the pool; then the start of its chunk, or of everything where a window has passed.
    ///
    /// @param position 0 to [#length()]
    public int nearest(int position) {
        if (position < 0 || position > length) throw new IllegalArgumentException("position " + position + " of a sequence of " + length);
        for (int g = 0; g < pages.length;) {
            int first = groups.get(g).firstVisible(position);
            if (first < position && first / PagePool.POSITIONS < gone[g]) {
                position = first;
                g = 0; // another group may see further back from there
            } else {
                g++;
            }
        }
        return position;
    }

    /// Forgets everything from position `length` on.
    ///
    /// @throws IllegalArgumentException when `length` is beyond the end, or is not [#nearest] to itself
    public void truncate(int length) {
        int nearest = nearest(length);
        if (nearest != length)
            throw new IllegalArgumentException("what position " + length + " sees is no longer in the cache: go back to position " + nearest
                    + " and compute from there");
        this.length = length;
        for (int g = 0; g < pages.length; g++) {
            int block = length / PagePool.POSITIONS;
            int keep = gone[g] > block ? block : blocks(length); // the page of the next position itself may be gone: a chunk begins in it
            giveBack(g, Math.max(gone[g], keep), end[g], false);
            end[g] = keep;
            gone[g] = Math.min(gone[g], keep);
        }
    }

    /// Gives all pages back.
    @Override
    public void close() {
        if (closed) return;
        closed = true;
        length = 0;
        for (int g = 0; g < pages.length; g++) {
            giveBack(g, gone[g], end[g], false);
            end[g] = 0;
            gone[g] = 0;
        }
    }

    private void giveBack(int group, int from, int to, boolean atStart) {
        for (int b = from; b < to; b++) {
            pool.giveBack(group, pages[group][b]);
            pages[group][b] = pool.none();
        }
        if (atStart && to > from) gone[group] = to;
    }

    /// Whether the pages of positions `from` to `to`, both included, are there.
    boolean holds(int group, int from, int to) {
        return from / PagePool.POSITIONS >= gone[group] && to / PagePool.POSITIONS < end[group];
    }

    Page page(int group, int block) {
        return pages[group][block];
    }

    boolean isOf(PagePool pool) {
        return this.pool == pool;
    }

    private static int blocks(int positions) {
        return (positions + PagePool.POSITIONS - 1) / PagePool.POSITIONS;
    }
}
