package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SplitTest {
    private static final Metadata METADATA = Metadata.of(Map.of("general.name", MetadataValue.of(MetadataType.STRING, "m")))
            .with("general.alignment", MetadataValue.of(MetadataType.UINT32, 128));

    @TempDir
    private Path folder = Path.of("");
    private List<Path> parts = List.of();

    private static GgufWriter five(Metadata metadata) {
        GgufWriter writer = new GgufWriter(metadata);
        for (int i = 0; i < 5; i++)
            writer.add("t" + i, TensorType.F32, List.of(100L), MemorySegment.ofArray(WriterTest.noise(i, 400)));
        return writer;
    }

    @BeforeEach
    void split() throws IOException {
        parts = five(METADATA).splitByTensors(2).write(folder.resolve("m.gguf"));
    }

    private String refused(Class<? extends Exception> kind, Path path) {
        String message = String.valueOf(assertThrows(kind, () -> GgufFile.open(path).close()).getMessage());
        assertEquals(1, message.lines().count(), message);
        assertTrue(message.contains(folder.toString()), message);
        return message;
    }

    private void refusedWith(String text, Path path) {
        String message = refused(ModelFormatException.class, path);
        assertTrue(message.contains(text), message);
    }

    @Test
    void anyPartOpensTheWholeModel() throws IOException {
        assertEquals(List.of("m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"),
                parts.stream().map(p -> p.getFileName().toString()).toList());
        assertFalse(Files.exists(folder.resolve("m.gguf")));
        for (Path given : parts) {
            try (GgufFile file = GgufFile.open(given)) {
                assertEquals(parts, file.paths());
                assertEquals("m", file.metadata().requireString("general.name"));
                assertEquals(List.of("t0", "t1", "t2", "t3", "t4"), file.tensors().stream().map(Tensor::name).toList());
                assertEquals(List.of(0, 0, 1, 1, 2), file.tensors().stream().map(t -> t.info().part()).toList());
                long bytes = 0;
                for (int i = 0; i < 3; i++) {
                    assertEquals(Files.size(parts.get(i)), file.bytes(i));
                    assertEquals(128, file.alignment(i));
                    bytes += file.bytes(i);
                }
                assertEquals(bytes, file.bytes());
                for (int i = 0; i < 5; i++)
                    assertArrayEquals(WriterTest.noise(i, 400), file.require("t" + i).segment().toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    @Test
    void aRelativePathOpensToo() throws IOException {
        Path here = Path.of("").toAbsolutePath();
        try (GgufFile file = GgufFile.open(here.relativize(parts.get(1).toAbsolutePath()))) {
            assertEquals(5, file.tensors().size());
        }
    }

    @Test
    void splitsByBytesAndNotAtAll() throws IOException {
        assertEquals(5, five(METADATA).splitByBytes(1).write(folder.resolve("one.gguf")).size());
        assertEquals(3, five(METADATA).splitByBytes(912).write(folder.resolve("two.gguf")).size());
        assertEquals(5, five(METADATA).splitByBytes(911).write(folder.resolve("less.gguf")).size());
        assertEquals(List.of(folder.resolve("whole.gguf")), five(METADATA).splitByTensors(5).write(folder.resolve("whole.gguf")));
        try (GgufFile file = GgufFile.open(folder.resolve("whole.gguf"))) {
            assertEquals(METADATA, file.metadata());
        }
    }

    @Test
    void rewritingAModelInPartsAsOneFileDropsTheKeysOfParts() throws IOException {
        try (GgufFile file = GgufFile.open(parts.get(0))) {
            GgufWriter writer = new GgufWriter(file.metadata());
            for (Tensor t : file.tensors()) writer.add(t.name(), t.type(), t.info().shape(), t.segment());
            writer.write(folder.resolve("joined.gguf"));
            try (GgufFile joined = GgufFile.open(folder.resolve("joined.gguf"))) {
                assertEquals(METADATA, joined.metadata());
                assertEquals(file.identity(), joined.identity());
            }
        }
    }

    @Test
    void aMissingPartIsNamed() throws IOException {
        Files.delete(parts.get(1));
        for (int given : new int[] {0, 2}) {
            String message = refused(NoSuchFileException.class, parts.get(given));
            assertTrue(message.contains("m-00002-of-00003.gguf") && message.contains("part 2 of 3"), message);
        }
        Files.createDirectory(parts.get(1));
        assertTrue(refused(IOException.class, parts.get(0)).contains("directory"));
    }

    @Test
    void aPartUnderAnotherNameIsRefused() throws IOException {
        for (String name : List.of("other.gguf", "m-00002-of-00003.gguf.bak", "m-00004-of-00003.gguf", "m-00002-of-00002.gguf",
                "m-2-of-3.gguf")) {
            Path other = Files.copy(parts.get(0), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            refusedWith("file name ending in -00001-of-00003.gguf", other);
        }
    }

    @Test
    void aRepeatedPartIsRefused() throws IOException {
        Files.copy(parts.get(0), parts.get(2), StandardCopyOption.REPLACE_EXISTING);
        refusedWith("\"split.no\": expected part 2, as its name says, found 0", parts.get(0));
        refusedWith("-00001-of-00003.gguf", parts.get(2));
    }

    @Test
    void exchangedPartsAreRefused() throws IOException {
        Path aside = folder.resolve("aside");
        Files.move(parts.get(1), aside);
        Files.move(parts.get(2), parts.get(1));
        Files.move(aside, parts.get(2));
        refusedWith("split.no", parts.get(0));
    }

    @Test
    void aPartOfAnotherModelIsRefused() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        List<Path> four = new GgufWriter(METADATA)
                .add("t0", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("t2", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("t3", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .splitByTensors(1).write(elsewhere.resolve("m.gguf"));
        byte[] mine = Files.readAllBytes(parts.get(1));
        Files.copy(four.get(1), parts.get(1), StandardCopyOption.REPLACE_EXISTING);
        refusedWith("a part of another model?", parts.get(0));
        Files.write(parts.get(1), mine);
        List<Path> five = five(METADATA).splitByTensors(1).write(elsewhere.resolve("n.gguf"));
        Files.copy(five.get(1), parts.get(1), StandardCopyOption.REPLACE_EXISTING);
        refusedWith("\"split.count\": expected 3 parts", parts.get(0));
        List<Path> same = new GgufWriter(METADATA)
                .add("x", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("y", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("t0", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("t3", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("z", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .splitByTensors(2).write(elsewhere.resolve("o.gguf"));
        Files.copy(same.get(1), parts.get(1), StandardCopyOption.REPLACE_EXISTING);
        refusedWith("tensor \"t0\": expected every tensor in one part", parts.get(0));
    }

    private static Bytes part(int no, int count, int tensors, String tensor) {
        return new Bytes().header(1, 3).key("split.no", MetadataType.UINT16).u16(no).key("split.count", MetadataType.UINT16).u16(count)
                .key("split.tensors.count", MetadataType.INT32).u32(tensors).tensor(tensor, 0, 0, 1).pad(32).zeros(4);
    }

    @Test
    void wrongKeysOfPartsAreRefused() throws IOException {
        Path first = folder.resolve("k-00001-of-00002.gguf");
        Path second = part(1, 2, 2, "b").save(folder.resolve("k-00002-of-00002.gguf"));
        part(0, 2, 2, "a").save(first);
        GgufFile.open(first).close();
        part(0, 2, 3, "a").save(first);
        part(1, 2, 3, "b").save(second);
        refusedWith("\"split.tensors.count\": expected 2 tensors", first);
        part(0, 2, -1, "a").save(first);
        part(1, 2, -1, "b").save(second);
        refusedWith("split.tensors.count", first);
        part(2, 2, 2, "a").save(first);
        refusedWith("\"split.no\": expected 0 to 1, found 2", first);
        new Bytes().header(0, 1).key("split.count", MetadataType.UINT16).u16(2).save(first);
        refusedWith("split.no", first);
        new Bytes().header(0, 2).key("split.count", MetadataType.INT64).u64(-1).key("split.no", MetadataType.UINT8).u8(0).save(first);
        refusedWith("split.count", first);
        new Bytes().header(0, 2).key("split.count", MetadataType.INT64).u64(1L << 40).key("split.no", MetadataType.UINT8).u8(0).save(first);
        refusedWith("split.count", first);
        new Bytes().header(0, 1).key("split.count", MetadataType.STRING).string("2").save(first);
        refusedWith("split.count", first);
        part(0, 2, 2, "a").save(first);
        new Bytes().header(0, 0).save(second);
        refusedWith("split.no", first);
        Files.writeString(second, "text");
        refusedWith("k-00002-of-00002.gguf: expected a GGUF file, found text", first);
    }

    @Test
    void aFileOfOnePartNeedsNoName() throws IOException {
        for (int count : new int[] {0, 1}) {
            Path path = part(0, count, 1, "a").save(folder.resolve("single" + count + ".gguf"));
            try (GgufFile file = GgufFile.open(path)) {
                assertEquals(List.of(path), file.paths());
            }
        }
        Path named = new Bytes().header(0, 0).save(folder.resolve("v-00001-of-00009.gguf"));
        try (GgufFile file = GgufFile.open(named)) {
            assertEquals(List.of(named), file.paths());
        }
    }

    @Test
    void aFirstPartWithoutTensorsAndPartsOfOtherAlignment() throws IOException {
        Path first = new Bytes().header(0, 4).key("split.no", MetadataType.UINT16).u16(0).key("split.count", MetadataType.UINT16).u16(2)
                .key("split.tensors.count", MetadataType.INT32).u32(1).key("general.alignment", MetadataType.UINT32).u32(64)
                .save(folder.resolve("z-00001-of-00002.gguf"));
        part(1, 2, 1, "a").save(folder.resolve("z-00002-of-00002.gguf"));
        try (GgufFile file = GgufFile.open(first)) {
            assertEquals(List.of(64, 32), List.of(file.alignment(0), file.alignment(1)));
            assertEquals(1, file.require("a").info().part());
        }
    }
}
