package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResidencyTest {
    private static final long BYTES = (18 << 20) + 4321;
    private static final Path SMAPS = Path.of("/proc/self/smaps");

    @TempDir
    private Path folder = Path.of("");

    private static Residency plain() {
        return new Residency(Optional.empty());
    }

    private static Residency system() {
        Residency here = Residency.here();
        boolean linux = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("linux");
        assertEquals(linux, here.isNative(), "the build enables native access for this module");
        assumeTrue(linux, "not Linux: not checked");
        return here;
    }

    private MemorySegment map(Arena arena) throws IOException {
        Path file = folder.resolve("data");
        Files.write(file, new byte[(int) BYTES]);
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, BYTES, arena);
        }
    }

    /// What Linux says about a mapping: a line's kilobytes, in bytes.
    private static long smaps(MemorySegment segment, String field) throws IOException {
        boolean inside = false;
        for (String line : Files.readAllLines(SMAPS)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                inside = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16) == segment.address();
            } else if (inside && line.startsWith(field + ":")) { return Long.parseLong(line.replaceAll("\\D", "")) << 10; }
        }
        throw new AssertionError("no mapping with " + field);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void prefaultBringsEveryPageIn(boolean asksTheSystem) throws Exception {
        Residency residency = asksTheSystem ? system() : plain();
        assumeTrue(Files.isReadable(SMAPS), "no smaps: not checked");
        for (int threads = 1; threads <= 3; threads++) {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment data = map(arena);
                assertEquals(0, smaps(data, "Rss"));
                List<Long> told = new ArrayList<>();
                residency.prefault(List.of(data.asSlice(0, 5000), data.asSlice(5000)), threads, told::add);
                long pages = Math.ceilDiv(BYTES, 4096) * 4096;
                assertEquals(pages, smaps(data, "Rss"), "Rss with " + threads + " threads");
                assertEquals(BYTES, told.getLast());
                assertEquals(told.stream().sorted().toList(), told);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void prefaultEndsWhenInterruptedOrWhenToldTo(boolean asksTheSystem) throws Exception {
        Residency residency = asksTheSystem ? system() : plain();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = map(arena);
            Thread.currentThread().interrupt();
            long[] last = new long[1];
            assertThrows(InterruptedException.class, () -> residency.prefault(List.of(data), 2, n -> last[0] = n));
            assertFalse(Thread.interrupted());
            assertTrue(last[0] < BYTES, last[0] + " bytes were done");
            assertThrows(CancellationException.class, () -> residency.prefault(List.of(data), 2, n -> {
                throw new CancellationException();
            }));
            assertEquals(0, Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("kvern-prefault")).count());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFileThatWasCutShortIsAnErrorAndNoCrash(boolean asksTheSystem) throws Exception {
        Residency residency = asksTheSystem ? system() : plain();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = map(arena);
            try (FileChannel channel = FileChannel.open(folder.resolve("data"), StandardOpenOption.WRITE)) {
                channel.truncate(9 << 20);
            }
            assertThrows(InternalError.class, () -> residency.prefault(List.of(data), 2, n -> {
            }));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void memoryOfOnesOwnIsTouchedToo(boolean asksTheSystem) throws Exception {
        Residency residency = asksTheSystem ? system() : plain();
        try (Arena arena = Arena.ofShared()) {
            long[] last = new long[1];
            residency.prefault(List.of(arena.allocate(10 << 20)), 2, n -> last[0] = n);
            assertEquals(10 << 20, last[0]);
        }
    }

    @Test
    void lockedIsLockedUntilUnlocked() throws Exception {
        Residency residency = system();
        assumeTrue(Files.isReadable(SMAPS), "no smaps: not checked");
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = map(arena), some = data.asSlice(0, 1 << 20); // the least limit that Linux has had is 64 KiB, then 8 MiB
            try {
                residency.lock(List.of(some), 2, n -> {
                });
            } catch (MemoryBudgetException e) {
                assumeTrue(false, "this process may not lock a megabyte: not checked");
            }
            assertEquals(1 << 20, smaps(data, "Locked"));
            assertEquals(1 << 20, smaps(data, "Rss"));
            assertTrue(residency.unlock(some));
            assertEquals(0, smaps(data, "Locked"));
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> residency.lock(List.of(some), 2, n -> {
            }));
            assertEquals(0, smaps(data, "Locked"), "nothing stays locked");
        }
    }

    @Test
    void tooMuchToLockIsSaidWithTheLimitAndHowToRaiseIt() {
        String message = String.valueOf(Residency.refused(123_456, MemoryCalls.ENOMEM, List.of(65_536L, 99_999L)).getMessage());
        for (String part : List.of("123456 bytes", "65536 bytes", "99999", "ulimit -l", "LimitMEMLOCK", "--ulimit memlock"))
            assertTrue(message.contains(part), message);
        assertEquals(1, message.lines().count());
        String unknown = String.valueOf(Residency.refused(1, MemoryCalls.EPERM, List.of()).getMessage());
        assertTrue(unknown.contains("unknown"), unknown);
        String any = String.valueOf(Residency.refused(1, MemoryCalls.ENOMEM, List.of(Long.MAX_VALUE, Long.MAX_VALUE)).getMessage());
        assertTrue(any.contains("may lock any amount"), any);
    }

    @Test
    void residentBytesAreCounted() throws Exception {
        Residency residency = system();
        assertEquals(OptionalLong.empty(), plain().residentBytes(MemorySegment.NULL));
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = map(arena); // written a moment ago: in the cache
            assertEquals(OptionalLong.of(BYTES), residency.residentBytes(data));
            assertEquals(OptionalLong.of(7777), residency.residentBytes(data.asSlice(1234, 7777)));
            MemorySegment own = arena.allocate(100 << 20, 4096);
            long untouched = residency.residentBytes(own).orElseThrow();
            own.asSlice(0, 50 << 20).fill((byte) 1);
            assertTrue(residency.residentBytes(own).orElseThrow() >= 50 << 20, "after " + untouched);
            own.fill((byte) 1); // more than is counted at once
            assertEquals(OptionalLong.of((100 << 20) - 100), residency.residentBytes(own.asSlice(99, (100 << 20) - 100)));
            assertEquals(OptionalLong.of(0), residency.residentBytes(own.asSlice(5, 0)));
        }
    }

    @Test
    void theSystemsCallsAreLookedUpOnce() {
        Optional<MemoryCalls> first = MemoryCalls.find(), second = MemoryCalls.find();
        assertEquals(first.isPresent(), second.isPresent());
        if (first.isPresent()) assertSame(first.get(), second.get());
    }

    @Test
    void droppedPagesLeaveTheProcessAndComeBack() throws Exception {
        Residency residency = system();
        assumeTrue(Files.isReadable(SMAPS), "no smaps: not checked");
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = map(arena);
            data.load();
            assertTrue(residency.advise(data, Residency.Advice.DROP));
            assertEquals(4096, smaps(data, "Rss"), "the last page is not a whole one");
            for (Residency.Advice advice : List.of(Residency.Advice.WILL_NEED, Residency.Advice.RANDOM, Residency.Advice.SEQUENTIAL,
                    Residency.Advice.NORMAL)) {
                assertTrue(residency.advise(data.asSlice(1, 10_000), advice), advice.toString());
                assertFalse(plain().advise(data, advice));
            }
            MemorySegment own = arena.allocate(8192);
            assertThrows(IllegalArgumentException.class, () -> residency.advise(own, Residency.Advice.DROP));
        }
    }

    @Test
    void whatNeedsTheSystemSaysSo() {
        String message = String.valueOf(assertThrows(UnsupportedOperationException.class, plain()::requireLocking).getMessage());
        assertTrue(message.contains("prefault"), message);
        assertDoesNotThrow(system()::requireLocking);
    }

    /// A program that enables nothing.
    static final class Embedder {
        private Embedder() {
        }

        public static void main(String[] args) throws Exception {
            Residency here = Residency.here();
            try (Arena arena = Arena.ofShared(); FileChannel channel = FileChannel.open(Path.of(args[0]))) {
                MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
                here.prefault(List.of(data), 2, n -> {
                });
                System.out.println(here.isNative() + " " + here.advise(data, Residency.Advice.WILL_NEED) + " " + here.residentBytes(data));
            }
            try {
                here.requireLocking();
            } catch (UnsupportedOperationException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    void whoEnablesNothingSeesNoWarning() throws Exception {
        Path file = Files.write(folder.resolve("data"), new byte[10_000]);
        String path = String.join(File.pathSeparator, "target/test-classes", "target/classes");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", path,
                Embedder.class.getName(), file.toString()).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
        assertEquals("false false OptionalLong.empty", out.lines().findFirst().orElse(""));
        assertTrue(out.lines().skip(1).findFirst().orElse("").contains("--enable-native-access=ALL-UNNAMED"), out);
        assertEquals(2, out.lines().count(), out);
    }
}
