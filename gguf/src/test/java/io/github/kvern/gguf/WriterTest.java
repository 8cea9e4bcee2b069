package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WriterTest {
    @TempDir
    private Path folder = Path.of("");

    static Metadata everyType() {
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        values.put("general.architecture", MetadataValue.of(MetadataType.STRING, "llama"));
        Map<MetadataType, List<?>> samples = new LinkedHashMap<>();
        samples.put(MetadataType.UINT8, List.of(0, 7, 255));
        samples.put(MetadataType.INT8, List.of(-128, 0, 127));
        samples.put(MetadataType.UINT16, List.of(0, 65_535));
        samples.put(MetadataType.INT16, List.of(-32_768, 32_767));
        samples.put(MetadataType.UINT32, List.of(0, 4_294_967_295L));
        samples.put(MetadataType.INT32, List.of(Integer.MIN_VALUE, Integer.MAX_VALUE));
        samples.put(MetadataType.UINT64, List.of(0, Long.MAX_VALUE, BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE)));
        samples.put(MetadataType.INT64, List.of(Long.MIN_VALUE, Long.MAX_VALUE));
        samples.put(MetadataType.FLOAT32, List.of(0f, -0f, 1e-45f, Float.NaN, Float.NEGATIVE_INFINITY));
        samples.put(MetadataType.FLOAT64, List.of(0.1, -0.0, Double.MIN_VALUE, Double.NaN, Double.POSITIVE_INFINITY));
        samples.put(MetadataType.BOOL, List.of(true, false));
        samples.put(MetadataType.STRING, List.of("", "a\u0000b", "\u00e9\u4e2d\ud83d\ude42", "x".repeat(200_000)));
        List<MetadataArray> nested = new ArrayList<>();
        samples.forEach((type, list) -> {
            for (int i = 0; i < list.size(); i++) values.put("one." + type + "." + i, MetadataValue.of(type, list.get(i)));
            values.put("many." + type, MetadataValue.of(MetadataType.ARRAY, MetadataArray.of(type, list)));
            values.put("none." + type, MetadataValue.of(MetadataType.ARRAY, MetadataArray.of(type, List.of())));
            nested.add(MetadataArray.of(type, list));
        });
        values.put("nested", MetadataValue.of(MetadataType.ARRAY, MetadataArray.of(MetadataType.ARRAY, nested)));
        return Metadata.of(values);
    }

    static byte[] noise(long seed, long size) {
        byte[] bytes = new byte[Math.toIntExact(size)];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] data(GgufFile file, String name) {
        return file.require(name).segment().toArray(ValueLayout.JAVA_BYTE);
    }

    private long filesInFolder() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }

    @Test
    void everyTypeOfValueComesBack() throws IOException {
        Metadata written = everyType();
        Path path = folder.resolve("m.gguf");
        assertEquals(List.of(path), new GgufWriter(written).write(path));
        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(List.copyOf(written.keys()), List.copyOf(file.metadata().keys()));
            for (String key : written.keys()) assertEquals(written.find(key), file.metadata().find(key), key);
            assertEquals(written, file.metadata());
            assertEquals(Files.size(path), file.bytes());
            assertEquals(3, file.version());
        }
    }

    @Test
    void everyTypeOfTensorComesBack() throws IOException {
        for (int alignment : new int[] {8, 32, 4096}) {
            GgufWriter writer = new GgufWriter(everyType().with("general.alignment", MetadataValue.of(MetadataType.UINT32, alignment)));
            for (TensorType type : TensorType.values()) {
                List<Long> shape = List.of(2L * type.blockLength(), 3L, 1L, 2L);
                long bytes = 12L * type.blockBytes();
                writer.add(type + ".weight", type, shape, MemorySegment.ofArray(noise(type.id(), bytes)));
            }
            Path path = folder.resolve("m" + alignment + ".gguf");
            writer.write(path);
            try (GgufFile file = GgufFile.open(path)) {
                assertEquals(TensorType.values().length, file.tensors().size());
                assertEquals(alignment, file.alignment(0));
                byte[] whole = Files.readAllBytes(path);
                for (TensorType type : TensorType.values()) {
                    TensorInfo info = file.require(type + ".weight").info();
                    byte[] expected = noise(type.id(), 12L * type.blockBytes());
                    assertSame(type, info.type());
                    assertEquals(12L * type.blockLength(), info.values());
                    assertEquals(2, info.extent(3));
                    assertArrayEquals(expected, data(file, info.name()));
                    int from = Math.toIntExact(file.dataOffset(0) + info.offset());
                    assertEquals(ByteBuffer.wrap(expected), ByteBuffer.wrap(whole, from, expected.length));
                    assertEquals(0, (file.dataOffset(0) + info.offset()) % alignment);
                }
            }
        }
    }

    @Test
    void streamsATensorFromASource() throws IOException {
        long blocks = 500_000;
        Path path = folder.resolve("m.gguf");
        new GgufWriter(everyType()).add("big", TensorType.Q8_0, List.of(32L, blocks), out -> {
            for (long i = 0; i < blocks; i++) {
                ByteBuffer block = ByteBuffer.allocate(34).putLong(0, i);
                while (block.hasRemaining()) out.write(block);
            }
        }).add("small", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[] {1, 2, 3, 4})).write(path);
        try (GgufFile file = GgufFile.open(path)) {
            MemorySegment big = file.require("big").segment();
            for (long i = 0; i < blocks; i += 4999)
                assertEquals(i, Long.reverseBytes(big.get(Cursor.LONG, i * 34)));
            assertArrayEquals(new byte[] {1, 2, 3, 4}, data(file, "small"));
        }
    }

    @Test
    void aFailureLeavesNothingBehindAndTheOldFileAlone() throws IOException {
        Path path = folder.resolve("m.gguf");
        Files.writeString(path, "old");
        for (long given : new long[] {0, 3, 5, 1000}) {
            GgufWriter writer = new GgufWriter(everyType()).splitByTensors(1)
                    .add("a", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                    .add("b", TensorType.F32, List.of(1L), out -> out.write(ByteBuffer.allocate((int) given)));
            String message = String.valueOf(assertThrows(IOException.class, () -> writer.write(path)).getMessage());
            assertTrue(message.contains("\"b\"") && message.contains("expected 4 bytes"), message);
        }
        GgufWriter failing = new GgufWriter(everyType()).add("b", TensorType.F32, List.of(1L), out -> {
            throw new IllegalStateException("mine");
        });
        assertEquals("mine", assertThrows(IllegalStateException.class, () -> failing.write(path)).getMessage());
        assertEquals("old", Files.readString(path));
        assertEquals(1, filesInFolder());
        assertThrows(IOException.class, () -> new GgufWriter(everyType()).write(folder));
        assertThrows(IOException.class, () -> new GgufWriter(everyType()).write(folder.resolve("no/such/m.gguf")));
        Files.createDirectory(folder.resolve("n-00002-of-00002.gguf"));
        GgufWriter blocked = new GgufWriter(everyType()).splitByTensors(1)
                .add("a", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]))
                .add("b", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]));
        assertThrows(IOException.class, () -> blocked.write(folder.resolve("n.gguf")));
        assertEquals(2, filesInFolder());
    }

    @Test
    void replacesAFile() throws IOException {
        Path path = folder.resolve("m.gguf");
        Files.writeString(path, "old");
        new GgufWriter(everyType()).write(path);
        try (GgufFile file = GgufFile.open(path)) {
            assertEquals(everyType(), file.metadata());
        }
        assertEquals(1, filesInFolder());
    }

    @Test
    void refusesWhatCannotBeWritten() {
        GgufWriter writer = new GgufWriter(everyType()).add("a", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4]));
        refused("added before", () -> writer.add("a", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4])));
        refused("4 bytes", () -> writer.add("b", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[5])));
        refused("1 to 63 bytes", () -> writer.add("", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4])));
        refused("1 to 63 bytes", () -> writer.add("\u00e9".repeat(32), TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4])));
        refused("UTF-8", () -> writer.add("\ud800", TensorType.F32, List.of(1L), MemorySegment.ofArray(new byte[4])));
        refused("multiple of 32", () -> writer.add("b", TensorType.Q8_0, List.of(31L), out -> {}));
        refused("extents", () -> writer.add("b", TensorType.F32, List.of(0L), out -> {}));
        refused("dimensions", () -> writer.add("b", TensorType.F32, List.of(), out -> {}));
        refused("dimensions", () -> writer.add("b", TensorType.F32, List.of(1L, 1L, 1L, 1L, 1L), out -> {}));
        refused("counted", () -> writer.add("b", TensorType.F32, List.of(1L << 62, 2L), out -> {}));
        refused("2^60", () -> writer.add("b", TensorType.I8, List.of(1L << 60), out -> {}));
        refused("at least 1", () -> writer.splitByTensors(0));
        refused("at least 1", () -> writer.splitByBytes(0));
        refused("power of two", () -> new GgufWriter(everyType().with("general.alignment", MetadataValue.of(MetadataType.UINT32, 12))));
        refused("1 to 65535", () -> new GgufWriter(everyType().with("", MetadataValue.of(MetadataType.UINT8, 1))));
        refused("UINT8", () -> MetadataValue.of(MetadataType.UINT8, 256));
        refused("UINT64", () -> MetadataValue.of(MetadataType.UINT64, -1));
        refused("UINT64", () -> MetadataValue.of(MetadataType.UINT64, BigInteger.ONE.shiftLeft(64)));
        refused("INT32", () -> MetadataValue.of(MetadataType.INT32, 1.0));
        refused("BOOL", () -> MetadataValue.of(MetadataType.BOOL, 1));
        refused("STRING", () -> MetadataValue.of(MetadataType.STRING, "\udc00"));
        refused("ARRAY", () -> MetadataValue.of(MetadataType.ARRAY, List.of(1)));
        refused("INT8", () -> MetadataArray.of(MetadataType.INT8, List.of(1, 200)));
    }

    private static void refused(String text, org.junit.jupiter.api.function.Executable what) {
        String message = String.valueOf(assertThrows(IllegalArgumentException.class, what).getMessage());
        assertTrue(message.contains(text), message);
    }
}
