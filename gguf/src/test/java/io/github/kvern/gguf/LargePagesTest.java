package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class LargePagesTest {
    @Test
    void piecesAreZeroAlignedAndApart() throws Exception {
        try (Arena arena = Arena.ofShared(); ExecutorService threads = Executors.newFixedThreadPool(4)) {
            SegmentAllocator memory = LargePages.in(arena);
            List<Future<List<MemorySegment>>> taken = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                byte mark = (byte) (t + 1);
                taken.add(threads.submit(() -> {
                    List<MemorySegment> mine = new ArrayList<>();
                    for (int i = 0; i < 200; i++) {
                        MemorySegment s = memory.allocate(1 + i * 517L, 64);
                        assertEquals(0, s.address() % 64);
                        assertEquals(-1, s.mismatch(MemorySegment.ofArray(new byte[(int) s.byteSize()])), "all zeros");
                        mine.add(s.fill(mark));
                    }
                    return mine;
                }));
            }
            for (int t = 0; t < 4; t++)
                for (MemorySegment s : taken.get(t).get())
                    for (long i = 0; i < s.byteSize(); i++) assertEquals(t + 1, s.get(ValueLayout.JAVA_BYTE, i), "nobody else wrote here");
        }
    }

    @Test
    void moreThanOneSlabHoldsIsOnePiece() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment s = LargePages.in(arena).allocate(300L << 20, 64);
            s.set(ValueLayout.JAVA_BYTE, (300L << 20) - 1, (byte) 1); // untouched, the rest costs nothing
            assertEquals(300L << 20, s.byteSize());
        }
    }

    @Test
    void laterSlabsAreLarger() {
        try (Arena arena = Arena.ofShared()) {
            SegmentAllocator memory = LargePages.in(arena);
            assertInstanceOf(LargePages.class, memory, "this module's tests run with native access");
            long end = 0, piece = 100L << 20; // untouched
            int slabs = 0;
            for (int i = 0; i < 24; i++) {
                MemorySegment s = memory.allocate(piece, 64);
                if (s.address() != end) slabs++;
                end = s.address() + piece;
            }
            assertTrue(slabs < 12, slabs + " slabs: of 256 MB it would be 12");
        }
    }

    @Test
    void isGivenBackWithItsArena() throws IOException {
        assumeTrue(Files.exists(Path.of("/proc/self/maps")), "no /proc here: nothing shows what is mapped");
        MemorySegment s;
        String at;
        try (Arena arena = Arena.ofShared()) {
            SegmentAllocator memory = LargePages.in(arena);
            assertInstanceOf(LargePages.class, memory, "this module's tests run with native access");
            s = memory.allocate(4 << 20, 64);
            s.fill((byte) 1);
            at = Long.toHexString(s.address() >>> 21);
            assertTrue(covered(s.address()), at);
        }
        assertThrows(IllegalStateException.class, () -> s.get(ValueLayout.JAVA_BYTE, 0));
        assertFalse(covered(s.address()), at);
    }

    @Test
    void withoutTheSystemTheArenaGives() {
        try (Arena arena = Arena.ofShared()) {
            assertSame(arena, LargePages.in(arena, Optional.empty()));
        }
    }

    /// Whether memory of the process lies at an address.
    private static boolean covered(long address) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] range = line.substring(0, line.indexOf(' ')).split("-");
            if (Long.parseUnsignedLong(range[0], 16) <= address && address < Long.parseUnsignedLong(range[1], 16)) return true;
        }
        return false;
    }
}
