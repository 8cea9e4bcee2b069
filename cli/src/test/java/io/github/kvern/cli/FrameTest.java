package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.UnsupportedModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The parts around the verbs: arguments, streams, failures, interrupts, files that appear whole.
class FrameTest {
    private static byte[] commandLine(String... args) {
        return String.join("\0", args).concat("\0").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void argumentsAreReadAsTheyWereTyped() {
        byte[] typed = commandLine("java", "-m", "kvern", "generate", "Grüße, 世界?", "-n", "");
        String[] garbled = {"generate", "Gr??e, ???", "-n", ""};
        assertArrayEquals(new String[] {"generate", "Grüße, 世界?", "-n", ""}, Arguments.decode(garbled, typed));
        String[] others = {"generate", "quite another", "-n", ""};
        assertArrayEquals(others, Arguments.decode(others, typed), "not what the command line ends in");
        String[] many = {"1", "2", "3", "4", "5", "6", "7", "8"};
        assertArrayEquals(many, Arguments.decode(many, typed));
    }

    @Test
    void anArgumentThatIsNoUtf8IsRefused() {
        byte[] typed = "java\0caf\u00e9\0".getBytes(StandardCharsets.ISO_8859_1);
        Failure failure = assertThrows(Failure.class, () -> Arguments.decode(new String[] {"caf\uFFFD"}, typed));
        assertEquals("argument 1: expected UTF-8, found byte 0xE9 at byte offset 3", failure.line());
        assertEquals(2, failure.exitCode());
    }

    @Test
    void everyFailureHasItsExitCode() {
        assertEquals(1, Failures.of(new MemoryBudgetException("x")).exitCode());
        assertEquals(3, Failures.of(new ModelFormatException("x")).exitCode());
        assertEquals(3, Failures.of(new UnsupportedModelException("x")).exitCode());
        assertEquals(2, Failures.of(new IllegalArgumentException("x")).exitCode());
        assertEquals(1, Failures.of(new IllegalStateException("x")).exitCode());
        assertEquals(1, Failures.of(new OutOfMemoryError("Java heap space")).exitCode());
        assertEquals(1, Failures.of(new IOException("x")).exitCode());
        assertEquals(1, Failures.of(new NullPointerException()).exitCode());
        assertTrue(Failures.of(new NullPointerException()).line().startsWith("a mistake in Kvern: "));
    }

    /// A disk that is full, or a reader that is gone.
    private static Run writingTo(String message) {
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException(message);
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = Run.run(new byte[0], broken, err, "tokenize", "-m", Run.MODEL, "x");
        return new Run(exitCode, new byte[0], err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aFullDiskIsAFailureAReaderThatIsGoneIsNot() {
        Run full = writingTo("No space left on device");
        assertEquals(1, full.exitCode());
        assertEquals("kvern: cannot write standard output: No space left on device\n", full.err());
        Run gone = writingTo("Broken pipe");
        assertEquals(0, gone.exitCode());
        assertEquals("", gone.err());
    }

    @Test
    void aFileAppearsOnlyWhenItIsComplete(@TempDir Path folder) throws IOException {
        Path target = folder.resolve("out.bin");
        Interrupts interrupts = new Interrupts();
        try (OutputFile file = OutputFile.open(target, interrupts)) {
            file.write(ByteBuffer.wrap(new byte[] {1, 2}));
            assertFalse(Files.exists(target));
            file.complete();
        }
        assertArrayEquals(new byte[] {1, 2}, Files.readAllBytes(target));
        try (OutputFile file = OutputFile.open(target, interrupts)) {
            file.write(ByteBuffer.wrap(new byte[] {3}));
        }
        assertArrayEquals(new byte[] {1, 2}, Files.readAllBytes(target), "what failed leaves the old file");
        assertEquals(1, count(folder));
    }

    @Test
    void anInterruptTakesHalfWrittenFilesAway(@TempDir Path folder) throws IOException {
        Interrupts interrupts = new Interrupts();
        try (OutputFile file = OutputFile.open(folder.resolve("out.bin"), interrupts)) {
            file.write(ByteBuffer.wrap(new byte[] {1}));
            assertEquals(1, count(folder));
            interrupts.end();
            assertEquals(0, count(folder));
        }
    }

    @Test
    void aFileThatASignalOvertakesIsNeitherBegunNorCompleted(@TempDir Path folder) throws IOException {
        Interrupts interrupts = new Interrupts();
        Path target = Files.writeString(folder.resolve("out.bin"), "old");
        try (OutputFile file = OutputFile.open(target, interrupts)) {
            file.write(ByteBuffer.wrap(new byte[] {1}));
            interrupts.end();
            assertQuiet(assertThrows(Failure.class, file::complete));
        }
        assertQuiet(assertThrows(Failure.class, () -> OutputFile.open(folder.resolve("late.bin"), interrupts)));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(target), files.toList());
        }
        assertEquals("old", Files.readString(target));
    }

    private static void assertQuiet(Failure failure) {
        assertEquals(Failures.INTERRUPTED, failure.exitCode());
        assertEquals("", failure.line());
    }

    @Test
    void aLinkStaysALinkAndAPipeIsWrittenAsItIs(@TempDir Path folder) throws IOException {
        Path target = Files.createFile(folder.resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);
        try (OutputFile file = OutputFile.open(link, new Interrupts())) {
            file.write(ByteBuffer.wrap(new byte[] {7}));
            file.complete();
        }
        assertTrue(Files.isSymbolicLink(link));
        assertArrayEquals(new byte[] {7}, Files.readAllBytes(target));
        Path nowhere = Path.of("/dev/null");
        if (Files.exists(nowhere)) {
            try (OutputFile file = OutputFile.open(nowhere, new Interrupts())) {
                file.write(ByteBuffer.wrap(new byte[] {7}));
                file.complete();
            }
            assertTrue(Files.exists(nowhere));
        }
    }

    @Test
    void anOutputThatCannotBeIsToldBeforeAnythingIsComputed(@TempDir Path folder) {
        for (Path wrong : new Path[] {folder, folder.resolve("none/out.bin")}) {
            Run run = Run.plain(new byte[0], "logits", "-m", "/nonexistent.gguf", "--tokens", "1", "--out", wrong.toString());
            assertEquals(1, run.exitCode(), run::toString);
            assertTrue(run.err().startsWith("kvern: cannot write " + wrong + ": "), run::toString);
            assertEquals(1, run.err().lines().count(), run::toString);
        }
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }

    @Test
    void anInterruptCancelsOnceAlsoWhenItCameFirst() {
        AtomicInteger cancelled = new AtomicInteger();
        AtomicInteger said = new AtomicInteger();
        Interrupts early = new Interrupts();
        early.end();
        assertTrue(early.requested());
        early.onInterrupt(cancelled::incrementAndGet, said::incrementAndGet);
        assertEquals(1, cancelled.get());
        Interrupts through = new Interrupts();
        through.onInterrupt(cancelled::incrementAndGet, said::incrementAndGet);
        through.finish();
        through.end();
        assertEquals(1, cancelled.get(), "nothing is left to cancel");
        assertEquals(0, said.get());
        Interrupts slow = new Interrupts();
        slow.onInterrupt(cancelled::incrementAndGet, said::incrementAndGet);
        slow.end();
        assertEquals(2, cancelled.get());
        assertEquals(1, said.get(), "what does not end in time is asked for its last words");
        assertFalse(through.requested());
    }

    @Test
    void numbersForPeople() {
        assertEquals("1,234,567", Page.count(1_234_567));
        assertEquals("1023 B", Page.bytes(1023));
        assertEquals("1.00 KiB", Page.bytes(1024));
        assertEquals("6.07 MiB", Page.bytes(6_366_656));
        assertEquals("0.012 s", Page.seconds(12_000_000));
        assertEquals("123.5", Page.decimal(123.46));
    }
}
