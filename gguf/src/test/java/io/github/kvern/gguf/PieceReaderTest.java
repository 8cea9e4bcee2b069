package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files with nothing in them have no page in the system's cache until somebody reads it.
class PieceReaderTest {
    private static final long PIECE = 2 << 20, BYTES = 21 * (1 << 20) + 4321;

    @TempDir
    private Path folder = Path.of("");

    private static Residency system() {
        Residency here = Residency.here();
        assumeTrue(here.isNative(), "not Linux: not checked");
        return here;
    }

    private MemorySegment map(Arena arena, String name) throws IOException {
        Path path = folder.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(BYTES);
        }
        try (FileChannel channel = FileChannel.open(path)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, BYTES, arena);
        }
    }

    private static long resident(MemorySegment segment) {
        return Residency.here().residentBytes(segment).orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bringsInWhatASegmentHasAndNothingBesideIt(boolean prepared) throws IOException {
        Residency residency = system();
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 12; round++) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment data = map(arena, "data" + round);
                assumeTrue(resident(data) == 0, "a file of zeros is in memory at once: not checked");
                boolean large = prepared && PieceReader.prepare(residency, data);
                PieceReader reader = new PieceReader(residency, large);
                long from = random.nextLong(BYTES - 1), to = random.nextLong(from + 1, BYTES + 1);
                MemorySegment some = data.asSlice(from, to - from);
                assertFalse(reader.seemsResident(some));
                long missing = 0, again = 0;
                for (int p = 0; p < PieceReader.pieces(some); p++) missing += reader.read(some, p);
                String what = "bytes " + from + " to " + to + ", missing " + missing;
                assertTrue(missing >= some.byteSize() && missing < some.byteSize() + 2 * 65_536, what + ": whole pages");
                assertEquals(some.byteSize(), resident(some), what);
                assertTrue(reader.seemsResident(some), what);
                for (int p = 0; p < PieceReader.pieces(some); p++) again += reader.read(some, p);
                assertEquals(0, again, what);
                // a mapping that does not begin at a border has pieces that are not those of the file
                long beside = data.address() % PIECE == 0 ? 2 * 65_536 : 2 * PIECE;
                assertTrue(resident(data) - some.byteSize() <= beside, what + ", in memory " + resident(data));
            }
        }
    }

    @Test
    void aPieceAloneIsThatPiece() throws IOException {
        Residency residency = system();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = map(arena, "data");
            assumeTrue(resident(data) == 0 && data.address() % PIECE == 0, "mapped at no border of pieces: not checked");
            PieceReader reader = new PieceReader(residency, PieceReader.prepare(residency, data));
            assertEquals(11, PieceReader.pieces(data));
            assertEquals(PIECE, reader.read(data, 4));
            assertEquals(PIECE, resident(data.asSlice(4 * PIECE, PIECE)));
            assertEquals(PIECE, resident(data));
            MemorySegment across = data.asSlice(6 * PIECE - 1, 2);
            assertEquals(2, PieceReader.pieces(across));
            assertTrue(reader.read(across, 1) <= 65_536);
            assertEquals(1, resident(across));
            assertEquals(0, PieceReader.pieces(data.asSlice(3 * PIECE, 0)));
            assertTrue(reader.seemsResident(data.asSlice(3 * PIECE, 0)));
        }
    }

    /// Of a file that is not its own a process is told that all of it is in memory: so reading asks for pieces in any case. Here they are,
    /// but not in the process, which Linux shows as well.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void asksAlsoWhereAllIsSaidToBeThere(boolean prepared) throws IOException {
        Residency residency = system();
        Path maps = Path.of("/proc/self/smaps");
        assumeTrue(Files.isReadable(maps) && residency.calls().orElseThrow().populates(), "an older Linux: not checked");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = map(arena, "known");
            assertEquals(BYTES, Files.readAllBytes(folder.resolve("known")).length);
            assumeTrue(resident(data) == BYTES, "a file that was read is not in memory: not checked");
            PieceReader reader = new PieceReader(residency, prepared && PieceReader.prepare(residency, data));
            assertEquals(0, mappedBytes(maps));
            int whole = (int) ((data.address() + BYTES) / PIECE - Math.ceilDiv(data.address(), PIECE));
            for (int p = 0; p < PieceReader.pieces(data); p++) assertEquals(0, reader.read(data, p));
            assertTrue(mappedBytes(maps) >= whole * PIECE, mappedBytes(maps) + " of " + whole + " pieces");
        }
    }

    private static long mappedBytes(Path maps) throws IOException {
        boolean inside = false;
        long bytes = 0;
        for (String line : Files.readAllLines(maps)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) inside = line.endsWith("/known");
            else if (inside && line.startsWith("Rss:")) bytes += Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
        return bytes;
    }

    @Test
    void needsTheSystem() {
        Residency plain = new Residency(Optional.empty());
        assertThrows(UnsupportedOperationException.class, () -> new PieceReader(plain, false));
        assertFalse(PieceReader.prepare(plain, MemorySegment.NULL));
    }

    @Test
    void versionsAreCompared() {
        for (String yes : new String[] {"5.18", "5.18.0-generic", "6.1.2", "10.0", "6.18.44-fc"})
            assertTrue(MemoryCalls.isAtLeast(yes, 5, 18), yes);
        for (String no : new String[] {"5.17.99", "4.19", "", "five", "6", "v6.1", "5.9"})
            assertFalse(MemoryCalls.isAtLeast(no, 5, 18), no);
    }
}
