package io.github.kvern.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Brings mappings of a file into memory piece by piece, so that several threads can have the disk read at the same time, in an order
/// that somebody else chose. Allocates nothing after it was made. For one thread; needs native access.
///
/// A piece is what lies between two borders of 2 MB. Where Linux can, a whole one is read and mapped as one page: that takes a tenth of
/// the work of 512 small ones, when it is read, when it is looked up, and when its memory is wanted for something else. What of a
/// segment is less than a piece, at its ends, is read in small pages, and nothing behind it: its neighbours may never be needed.
public final class PieceReader {
    /// The large page of x86-64 and, with small ones of 4 KB, of ARM. Another size of the system's makes pieces slower, not wrong.
    private static final long PIECE_BYTES = 2 << 20;

    private static final long LOWEST_BITS = 0x01010101_01010101L;

    private final MemoryCalls system;
    private final boolean large;
    private final MemorySegment pages;

    /// @param large whether the segments that will be read were prepared with [#prepare], all with success
    /// @throws UnsupportedOperationException without native access, or on another system than Linux
    public PieceReader(Residency residency, boolean large) {
        system = residency.calls()
                .orElseThrow(() -> new UnsupportedOperationException("reading in pieces needs Linux and native access"));
        this.large = large;
        pages = Arena.ofAuto().allocate(PIECE_BYTES / system.pageBytes() + 1);
    }

    /// Asks for large pages in a segment, and that a fault reads no more than one.
    ///
    /// @param segment a mapping of a file
    /// @return whether the system reads whole pieces as it should; what of it does not is then asked for in small pages
    public static boolean prepare(Residency residency, MemorySegment segment) {
        boolean can = residency.calls().map(MemoryCalls::readsLargePages).orElse(false);
        return can && residency.advise(segment, Residency.Advice.LARGE_PAGES) && residency.advise(segment, Residency.Advice.RANDOM);
    }

    /// How many pieces a segment touches.
    public static int pieces(MemorySegment segment) {
        long from = segment.address() / PIECE_BYTES, to = Math.ceilDiv(segment.address() + segment.byteSize(), PIECE_BYTES);
        return Math.toIntExact(to - from);
    }

    /// Brings what a segment has of one piece into memory if it is not there. A whole piece is there when this comes back; a part of one
    /// has been asked for. What cannot be read is left out: who looks at it finds out why.
    ///
    /// @param piece 0 to `pieces(segment) - 1`
    /// @return bytes that were missing, in whole pages; 0 where the system says that all is there, which Linux says of every file that
    ///         this process does not own and may not write to
    public long read(MemorySegment segment, int piece) {
        long border = (segment.address() / PIECE_BYTES + piece) * PIECE_BYTES, end = segment.address() + segment.byteSize();
        long page = system.pageBytes(), first = Math.max(border, segment.address() / page * page);
        long bytes = Math.min(border + PIECE_BYTES, end) - first;
        if (bytes <= 0) return 0;
        long missing = missing(first, bytes, page);
        boolean whole = bytes == PIECE_BYTES;
        // asked for whatever was missing: it may not have been told, and asking for what is there takes a microsecond
        if (!whole || !large) system.advise(first, bytes, MemoryCalls.WILL_NEED);
        if (whole && system.populates()) system.advise(first, bytes, MemoryCalls.POPULATE_READ);
        return missing;
    }

    private long missing(long first, long bytes, long page) {
        if (!system.resident(first, bytes, pages)) return 0;
        long there = 0, count = Math.ceilDiv(bytes, page), p = 0;
        for (; p + Long.BYTES <= count; p += Long.BYTES)
            there += Long.bitCount(pages.get(ValueLayout.JAVA_LONG_UNALIGNED, p) & LOWEST_BITS); // a byte is a page
        for (; p < count; p++) there += pages.get(ValueLayout.JAVA_BYTE, p) & 1;
        return Math.min(bytes, (count - there) * page);
    }

    /// Whether a segment is in memory, by one page in its middle: quick, and right where segments come and go as a whole.
    ///
    /// @return true also if the system does not tell
    public boolean seemsResident(MemorySegment segment) {
        long page = system.pageBytes(), middle = (segment.address() + segment.byteSize() / 2) / page * page;
        return segment.byteSize() == 0 || !system.resident(middle, page, pages) || (pages.get(ValueLayout.JAVA_BYTE, 0) & 1) != 0;
    }
}
