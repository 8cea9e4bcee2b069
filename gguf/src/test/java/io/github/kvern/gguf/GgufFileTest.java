package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {
    @TempDir
    private Path folder = Path.of("");

    private String refused(Class<? extends Exception> kind, Path path) {
        String message = String.valueOf(assertThrows(kind, () -> GgufFile.open(path).close()).getMessage());
        assertTrue(message.startsWith(path.toString()), message);
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    @Test
    void whatIsNoFileIsRefusedWithItsPath() throws IOException {
        assertTrue(refused(NoSuchFileException.class, folder.resolve("none.gguf")).contains("no such file"));
        assertTrue(refused(IOException.class, folder).contains("directory"));
        assertTrue(refused(ModelFormatException.class, Files.createFile(folder.resolve("empty.gguf"))).contains("empty"));
        Path device = Path.of("/dev/null");
        if (Files.exists(device)) assertTrue(refused(IOException.class, device).contains("no regular file"));
    }

    @Test
    void opensThroughALink() throws IOException {
        Path file = Bytes.sample().save(folder.resolve("blob"));
        Path link = Files.createSymbolicLink(folder.resolve("m.gguf"), file);
        try (GgufFile opened = GgufFile.open(link)) {
            assertEquals(List.of(link), opened.paths());
            assertEquals(3, opened.tensors().size());
        }
    }

    @Test
    void howAFileChangedIsSaid() throws IOException {
        Path path = Bytes.sample().save(folder.resolve("m.gguf"));
        long length = Files.size(path);
        try (GgufFile file = GgufFile.open(path)) {
            file.requireUnchanged();
            assumeTrue(Files.readAttributes(path, BasicFileAttributes.class).fileKey() != null, "files cannot be told apart: not checked");
            Instant written = Files.getLastModifiedTime(path).toInstant().truncatedTo(ChronoUnit.MILLIS), later = written.plusSeconds(7);
            Files.setLastModifiedTime(path, FileTime.from(later));
            String sameLength = String.valueOf(assertThrows(ModelFormatException.class, file::requireUnchanged).getMessage());
            assertTrue(sameLength.startsWith(path + ": the file changed") && sameLength.contains("at " + written)
                    && sameLength.contains("at " + later) && !sameLength.contains(length + " bytes"), sameLength);
            Files.write(path, new byte[3], StandardOpenOption.APPEND);
            String longer = String.valueOf(assertThrows(ModelFormatException.class, file::requireUnchanged).getMessage());
            assertTrue(longer.contains("had " + length + " bytes and now has " + (length + 3)), longer);
        }
    }

    @Test
    void aTensorIsFoundByNameOrSaidToBeMissing() throws IOException {
        Path path = Bytes.sample().save(folder.resolve("m.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(TensorType.F16, file.require("output.weight").type());
            assertEquals(32, file.require("output.weight").segment().byteSize());
            assertTrue(file.require("output.weight").segment().isReadOnly());
            assertTrue(file.find("output.bias").isEmpty());
            String message = String.valueOf(assertThrows(ModelFormatException.class, () -> file.require("output.bias")).getMessage());
            assertTrue(message.contains("\"output.bias\"") && message.startsWith(path.toString()), message);
        }
    }

    @Test
    void afterCloseSegmentsFailAndTheRestStays() throws IOException {
        GgufFile file = GgufFile.open(Bytes.sample().save(folder.resolve("m.gguf")));
        MemorySegment segment = file.require("output.weight").segment();
        assertEquals(0, segment.get(ValueLayout.JAVA_BYTE, 0));
        file.close();
        file.close();
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, file::identity);
        assertEquals("llama", file.metadata().requireString("general.architecture"));
        assertEquals(3, file.tensors().size());
    }

    @Test
    void noFileStaysOpenAndNothingStaysMapped() throws IOException {
        Path descriptors = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(descriptors), "needs /proc: skipped");
        Path path = Bytes.sample().save(folder.resolve("unmistakable.gguf"));
        Path broken = Bytes.sample().u8(0).save(folder.resolve("unmistakable-broken.gguf"));
        try (FileChannel channel = FileChannel.open(broken, StandardOpenOption.WRITE)) {
            channel.truncate(300);
        }
        assertThrows(ModelFormatException.class, () -> GgufFile.open(broken).close());
        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(3, file.tensors().size());
            try (Stream<Path> open = Files.list(descriptors)) {
                assertFalse(open.anyMatch(d -> target(d).contains("unmistakable")));
            }
            assertTrue(Files.readString(Path.of("/proc/self/maps")).contains("unmistakable.gguf"));
        }
        assertFalse(Files.readString(Path.of("/proc/self/maps")).contains("unmistakable"));
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile
        }
    }

    /// A file with a gap that takes no room on the disk.
    private Path sparse(Bytes header, long gap, ByteBuffer end) throws IOException {
        Path path = folder.resolve("large.gguf");
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE,
                StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(header.array()), 0);
            file.write(end, header.size() + gap);
        } catch (IOException e) {
            abort("the temporary folder takes no file of this size: skipped (" + e + ")");
        }
        return path;
    }

    /// 20 GB that take no room on the disk: three tensors, the last beyond every 2 and 4 GiB limit.
    @Test
    void opensTwentyGigabytesByTheirHeader() throws IOException {
        long columns = 1 << 20;
        long rows = 2_500;
        long bytes = columns * rows * 4;
        Bytes header = new Bytes().header(3, 0).tensor("a", 0, 0, columns, rows).tensor("b", 0, bytes, columns, rows)
                .tensor("c", 0, 2 * bytes, 8).pad(32);
        Path path = sparse(header, 2 * bytes - 4, ByteBuffer.allocate(36).putInt(0x01020304).putInt(0x05060708).rewind());
        try (GgufFile file = GgufFile.open(path)) {
            assertTrue(file.bytes() > 20_000_000_000L);
            assertEquals(bytes, file.require("b").segment().byteSize());
            assertEquals(0x04030201, file.require("b").segment().get(Cursor.INT, bytes - 4));
            assertEquals(0x08070605, file.require("c").segment().get(Cursor.INT, 0));
            assertEquals(0, file.require("a").segment().get(Cursor.INT, bytes - 4));
            assertEquals(64, file.identity().length());
        }
    }

    @Test
    void aHeaderThatClaimsMostOfALargeFileIsRefused() throws IOException {
        Bytes header = new Bytes().header(0, 1).key("key", MetadataType.ARRAY).u32(0).u64(1L << 29);
        assertTrue(refused(ModelFormatException.class, sparse(header, 1L << 30, ByteBuffer.allocate(1))).contains("no header is longer"));
    }

    @Test
    void aTensorThatEndsOneByteAfterALargeFileIsRefused() throws IOException {
        Bytes header = new Bytes().header(1, 0).tensor("a", 24, 0, 1L << 33).pad(32);
        Path path = sparse(header, (1L << 33) - 2, ByteBuffer.allocate(1));
        assertTrue(refused(ModelFormatException.class, path).contains("cut short"));
    }

    @Test
    void aFileCutShortWhileMappedGivesAnErrorAndNoCrash() throws IOException {
        byte[] data = WriterTest.noise(1, 1 << 20);
        Path path = folder.resolve("m.gguf");
        new GgufWriter(WriterTest.everyType()).add("t", TensorType.I8, List.of(1L << 20), MemorySegment.ofArray(data)).write(path);
        try (GgufFile file = GgufFile.open(path)) {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                channel.truncate(4096);
            }
            String message = String.valueOf(assertThrows(ModelFormatException.class, file::identity).getMessage());
            assertTrue(message.contains("cut short"), message);
        }
    }

    private String identity(String name, UnaryOperator<Metadata> metadata, String tensor, TensorType type, List<Long> shape, byte[] data)
            throws IOException {
        Metadata start = Metadata.of(Map.of("general.name", MetadataValue.of(MetadataType.STRING, "m")));
        Path path = folder.resolve(name + ".gguf");
        new GgufWriter(metadata.apply(start)).add(tensor, type, shape, MemorySegment.ofArray(data)).write(path);
        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(file.identity(), file.identity());
            return file.identity();
        }
    }

    @Test
    void theIdentityIsThatOfTheMappedFileWhenAnotherTakesItsName() throws IOException {
        Path path = folder.resolve("m.gguf");
        new GgufWriter(WriterTest.everyType()).add("t", TensorType.I8, List.of(999L), MemorySegment.ofArray(new byte[999])).write(path);
        try (GgufFile file = GgufFile.open(path)) {
            String identity = file.identity();
            new GgufWriter(WriterTest.everyType()).add("t", TensorType.I8, List.of(999L), MemorySegment.ofArray(WriterTest.noise(1, 999)))
                    .write(path);
            assertEquals(identity, file.identity());
            Files.delete(path);
            assertEquals(identity, file.identity());
        }
    }

    @Test
    void theIdentityIsThatOfTheContent() throws IOException {
        byte[] data = new byte[4000];
        for (int i = 0; i < data.length; i++) data[i] = (byte) (i * i * 31 >> 4);
        List<Long> shape = List.of(100L, 10L);
        String identity = identity("a", m -> m, "t", TensorType.F32, shape, data);
        assertEquals("946664bfc40165f23d34bea8eeb664a1d7f30784b6d890f54a901d870f17e7be", identity,
                "computed apart from this code; another form needs another name");
        assertEquals(identity, identity("b", m -> m.with("general.alignment", MetadataValue.of(MetadataType.UINT32, 4096)), "t",
                TensorType.F32, shape, data));
        assertEquals(identity,
                identity("c", m -> m.with("split.count", MetadataValue.of(MetadataType.UINT16, 1)), "t", TensorType.F32, shape, data));
        assertNotEquals(identity,
                identity("d", m -> m.with("general.name", MetadataValue.of(MetadataType.STRING, "n")), "t", TensorType.F32, shape, data));
        assertNotEquals(identity,
                identity("e", m -> m.with("x", MetadataValue.of(MetadataType.UINT8, 1)), "t", TensorType.F32, shape, data));
        assertNotEquals(identity, identity("f", m -> m, "u", TensorType.F32, shape, data));
        assertNotEquals(identity, identity("g", m -> m, "t", TensorType.I32, shape, data));
        assertNotEquals(identity, identity("h", m -> m, "t", TensorType.F32, List.of(10L, 100L), data));
        for (int at : new int[] {0, 63, 2000, 2063, 3936, 3999}) {
            byte[] changed = data.clone();
            changed[at] ^= 1;
            assertNotEquals(identity, identity("i", m -> m, "t", TensorType.F32, shape, changed), "byte " + at);
        }
    }
}
