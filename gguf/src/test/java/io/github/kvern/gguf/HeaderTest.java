package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a sound file says is read as it stands, and every field of it made wrong in turn is refused with one line that names
/// the file and what was expected.
class HeaderTest {
    private static Bytes oneKey(MetadataType type) {
        return new Bytes().header(0, 1).key("key", type);
    }

    private static Bytes oneTensor() {
        return new Bytes().header(1, 0);
    }

    private static String refused(Bytes file) {
        return refused(ModelFormatException.class, file);
    }

    private static String refused(Class<? extends KvernException> kind, Bytes file) {
        String message = String.valueOf(assertThrows(kind, file::read).getMessage());
        assertTrue(message.startsWith("test.gguf: "), message);
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    private static void refusedWith(String text, Bytes file) {
        String message = refused(file);
        assertTrue(message.contains(text), message);
    }

    private static Object value(Header header, String key) {
        return header.metadata().find(key).orElseThrow().value();
    }

    @Test
    void readsEveryTypeOfValue() {
        Header header = Bytes.sample().read();
        assertEquals("llama", value(header, "general.architecture"));
        assertEquals(200L, value(header, "u8"));
        assertEquals(-2L, value(header, "i8"));
        assertEquals(60_000L, value(header, "u16"));
        assertEquals(-3L, value(header, "i16"));
        assertEquals(4_000_000_000L, value(header, "u32"));
        assertEquals(-4L, value(header, "i32"));
        assertEquals(1.5f, value(header, "f32"));
        assertEquals(true, value(header, "bool"));
        assertEquals(BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE), value(header, "u64"));
        assertEquals(-5L, value(header, "i64"));
        assertEquals(0.1, value(header, "f64"));
        assertEquals(MetadataArray.ofStrings(List.of("a", "", "\u00e9\u4e2d\ud83d\ude42")), value(header, "words"));
        assertEquals(MetadataArray.ofInts(1, -2, 3), value(header, "numbers"));
        assertEquals(MetadataArray.of(MetadataType.ARRAY, List.of(MetadataArray.of(MetadataType.BOOL, List.of(false, true)),
                MetadataArray.of(MetadataType.UINT64, List.of(7)))), value(header, "nested"));
    }

    @Test
    void readsTheTensorTable() {
        Header header = Bytes.sample().read();
        assertEquals(3, header.version());
        assertEquals(64, header.alignment());
        assertEquals(List.of(new TensorInfo("token_embd.weight", TensorType.Q8_0, List.of(32L, 2L), 0, 0),
                new TensorInfo("output_norm.weight", TensorType.F32, List.of(8L), 128, 0),
                new TensorInfo("output.weight", TensorType.F16, List.of(4L, 2L, 2L), 192, 0)), header.tensors());
        assertEquals(0, header.dataOffset() % 64);
        assertEquals(header.dataOffset() + 192 + 32, header.bytes());
    }

    @Test
    void readsVersion2AndFilesWithoutTensors() {
        Header header = new Bytes().ascii("GGUF").u32(2).u64(0).u64(1).key("general.name", MetadataType.STRING).string("x").read();
        assertEquals(2, header.version());
        assertEquals("x", header.metadata().requireString("general.name"));
    }

    @Test
    void everyTruncationIsRefused() {
        byte[] whole = Bytes.sample().array();
        for (int n = 0; n < whole.length; n++) {
            MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(whole, n));
            String message = String.valueOf(assertThrows(ModelFormatException.class, () -> Header.read(cut, "cut.gguf")).getMessage());
            assertTrue(message.startsWith("cut.gguf: ") && message.lines().count() == 1, message);
        }
    }

    @Test
    void refusesOtherKindsOfFilesByName() {
        refusedWith("empty", new Bytes());
        refusedWith("cut short", new Bytes().ascii("GGUF").u32(3));
        refusedWith("git lfs pull", new Bytes().ascii("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"));
        refusedWith("text: \"Hello\"", new Bytes().ascii("Hello\nworld\n"));
        refusedWith("web page", new Bytes().ascii("\n<!DOCTYPE html><html>"));
        refusedWith("ZIP", new Bytes().ascii("PK").raw(3, 4).zeros(30));
        refusedWith("gzip", new Bytes().raw(0x1F, 0x8B, 8, 0));
        refusedWith("safetensors", new Bytes().u64(100).ascii("{\"__metadata__\":"));
        refusedWith("zeros", new Bytes().zeros(100));
        refusedWith("7f 45 4c 46", new Bytes().raw(0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0));
        assertTrue(refused(UnsupportedModelException.class, new Bytes().ascii("tjgg").u32(3)).contains("before GGUF"));
    }

    @Test
    void refusesOtherVersionsAndByteOrdersByName() {
        assertTrue(refused(UnsupportedModelException.class, new Bytes().ascii("GGUF").u32(1).zeros(16)).contains("version 1"));
        assertTrue(refused(UnsupportedModelException.class, new Bytes().ascii("GGUF").u32(4).zeros(16)).contains("version 4"));
        assertTrue(refused(UnsupportedModelException.class, new Bytes().ascii("GGUF").u32(0x0300_0000).zeros(16)).contains("big-endian"));
        assertTrue(refused(UnsupportedModelException.class, new Bytes().ascii("FUGG").u32(3).zeros(16)).contains("big-endian"));
        refusedWith("version", new Bytes().ascii("GGUF").u32(0).zeros(16));
        refusedWith("version", new Bytes().ascii("GGUF").u32(0x1234_5678).zeros(16));
    }

    @Test
    void refusesCountsThatTheFileCannotHold() {
        for (long count : new long[] {1, 1_000_000, Integer.MAX_VALUE, 1L << 32, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            refusedWith("tensors", new Bytes().header(count, 0));
            refusedWith("metadata keys", new Bytes().header(0, count));
            for (MetadataType type : MetadataType.values())
                refusedWith("array elements", oneKey(MetadataType.ARRAY).u32(type.id()).u64(count));
            refused(oneKey(MetadataType.STRING).u64(count));
            refused(new Bytes().header(0, 1).u64(Math.abs(count) + 100).zeros(20));
            refused(oneTensor().u64(Math.abs(count) + 100).zeros(20));
        }
    }

    @Test
    void refusesWrongKeysAndValues() {
        refusedWith("empty", new Bytes().header(0, 1).string("").u32(0).u8(1).zeros(1));
        refusedWith("twice", new Bytes().header(0, 2).key("key", MetadataType.UINT8).u8(1).key("key", MetadataType.UINT8).u8(1));
        refusedWith("UTF-8", new Bytes().header(0, 1).u64(2).raw(0xC3, 0x28).u32(0).u8(1));
        refusedWith("at most 65535 bytes", new Bytes().header(0, 1).string("k".repeat(65_536)).u32(0).u8(1));
        for (long type : new long[] {13, 255, 1 << 16, 0x7FFF_FFFFL, 0xFFFF_FFFFL}) {
            refusedWith("value type", new Bytes().header(0, 1).string("key").u32(type).zeros(16));
            refusedWith("value type", oneKey(MetadataType.ARRAY).u32(type).u64(1).zeros(16));
        }
        refusedWith("0 or 1", oneKey(MetadataType.BOOL).u8(2));
        refusedWith("0 or 1", oneKey(MetadataType.ARRAY).u32(7).u64(2).u8(1).u8(255));
    }

    @Test
    void boundsTheNestingOfArrays() {
        Bytes eight = oneKey(MetadataType.ARRAY);
        for (int depth = 1; depth < 8; depth++) eight.u32(9).u64(1);
        eight.u32(0).u64(1).u8(7);
        assertEquals("[[[[[[[[7]]]]]]]]", eight.read().metadata().find("key").orElseThrow().toString());
        Bytes deep = oneKey(MetadataType.ARRAY);
        for (int depth = 1; depth < 100_000; depth++) deep.u32(9).u64(1);
        refusedWith("nested", deep.u32(0).u64(0));
    }

    @Test
    void readsMalformedTextOfValuesWithReplacements() {
        Header header = oneKey(MetadataType.ARRAY).u32(8).u64(2).u64(3).raw('a', 0xFF, 'b').u64(2).raw(0xE4, 0xB8).read();
        assertEquals(List.of("a\ufffdb", "\ufffd"), header.metadata().requireStrings("key"));
    }

    @Test
    void refusesWrongAlignments() {
        for (long alignment : new long[] {0, 1, 4, 7, 24, 33, 1 << 21, 0x8000_0000L, 0xFFFF_FFFFL})
            refusedWith("power of two", new Bytes().header(0, 1).key("general.alignment", MetadataType.UINT32).u32(alignment));
        refusedWith("general.alignment", new Bytes().header(0, 1).key("general.alignment", MetadataType.STRING).string("32"));
        refusedWith("general.alignment", new Bytes().header(0, 1).key("general.alignment", MetadataType.UINT64).u64(-1));
        assertEquals(8, new Bytes().header(0, 1).key("general.alignment", MetadataType.UINT64).u64(8).read().alignment());
    }

    @Test
    void refusesWrongTensorEntries() {
        refusedWith("empty", oneTensor().tensor("", 0, 0, 1).pad(32).zeros(4));
        refusedWith("UTF-8", oneTensor().u64(1).raw(0x80).u32(1).u64(1).u32(0).u64(0).pad(32).zeros(4));
        refusedWith("at most 255 bytes", oneTensor().tensor("t".repeat(256), 0, 0, 1).pad(32).zeros(4));
        refusedWith("twice", new Bytes().header(2, 0).tensor("t", 0, 0, 1).tensor("t", 0, 32, 1).pad(32).zeros(64));
        refusedWith("dimensions", oneTensor().tensor("t", 0, 0, 1, 1, 1, 1, 1).pad(32).zeros(4));
        for (long n : new long[] {5, 1 << 30, 0x8000_0000L, 0xFFFF_FFFFL})
            refusedWith("dimensions", oneTensor().string("t").u32(n).zeros(200));
        for (long extent : new long[] {0, -1, Long.MIN_VALUE}) {
            refusedWith("extents", oneTensor().tensor("t", 0, 0, extent).pad(32).zeros(64));
            refusedWith("extents", oneTensor().tensor("t", 0, 0, 1, extent, 1, 1).pad(32).zeros(64));
        }
        refusedWith("counted", oneTensor().tensor("t", 0, 0, Long.MAX_VALUE, 2).pad(32).zeros(64));
        refusedWith("counted", oneTensor().tensor("t", 0, 0, 1L << 32, 1L << 32).pad(32).zeros(64));
        refusedWith("counted", oneTensor().tensor("t", 0, 0, 1L << 16, 1L << 16, 1L << 16, 1L << 16).pad(32).zeros(64));
        refusedWith("counted", oneTensor().tensor("t", 28, 0, Long.MAX_VALUE).pad(32).zeros(64));
        refusedWith("multiple of 32", oneTensor().tensor("t", 8, 0, 33).pad(32).zeros(64));
        refusedWith("multiple of 256", oneTensor().tensor("t", 12, 0, 32).pad(32).zeros(64));
        for (long offset : new long[] {1, 16, 31, 33, -32, Long.MIN_VALUE})
            refusedWith("multiple of 32", oneTensor().tensor("t", 0, offset, 1).pad(32).zeros(64));
    }

    @Test
    void refusesTensorsOutsideTheFileOrEachOther() {
        refusedWith("data section", oneTensor().tensor("t", 0, 0, 9).pad(32).zeros(35));
        refusedWith("data section", oneTensor().tensor("t", 0, 64, 1).pad(32).zeros(64));
        refusedWith("data section", oneTensor().tensor("t", 0, 1L << 62, 1).pad(32).zeros(64));
        refusedWith("data section", oneTensor().tensor("t", 0, Long.MAX_VALUE - 31, 1L << 60).pad(32).zeros(64));
        refusedWith("data section", oneTensor().tensor("t", 0, 0, 1));
        refusedWith("after \"a\"", new Bytes().header(2, 0).tensor("a", 0, 0, 9).tensor("b", 0, 32, 9).pad(32).zeros(96));
        refusedWith("after \"a\"", new Bytes().header(2, 0).tensor("b", 0, 32, 9).tensor("a", 0, 0, 20).pad(32).zeros(96));
        refusedWith("or later", new Bytes().header(2, 0).tensor("a", 0, 0, 9).tensor("b", 0, 0, 9).pad(32).zeros(96));
    }

    @Test
    void takesTensorsInAnyOrderWithGapsAndSingleValues() {
        Header header = new Bytes().header(2, 0).tensor("b", 0, 64, 2).tensor("a", 26, 0).pad(32).zeros(72).read();
        assertEquals(List.of(1L), header.tensors().get(1).shape());
        assertEquals(4, header.tensors().get(1).bytes());
    }

    @Test
    void refusesForeignTensorTypesByName() {
        assertForeign(4, "Q4_2");
        assertForeign(33, "Q4_0_8_8");
        assertForeign(36, "IQ4_NL_4_4, which ggml has removed, or I2_S");
        assertForeign(38, "IQ4_NL_8_8");
        assertForeign(99, "Q8_2_X4");
        assertForeign(133, "Q6_0");
        assertForeign(139, "IQ4_K ");
        assertForeign(158, "IQ1_KT");
        assertForeign(202, "Q4_0_R8");
        assertForeign(399, "Q8_K_R8");
        for (long type : new long[] {43, 96, 100, 400, 0x7FFF_FFFF, 0xFFFF_FFFFL})
            refusedWith("type, found " + type, oneTensor().string("t").u32(1).u64(256).u32(type).u64(0).pad(32).zeros(512));
    }

    private static void assertForeign(int id, String name) {
        String message = refused(UnsupportedModelException.class, oneTensor().tensor("t", id, 0, 256).pad(32).zeros(512));
        assertTrue(message.contains(name) && message.contains("\"t\""), message);
    }

    @Test
    void noNumberIsBothOursAndForeign() {
        for (int id = -1; id < 1000; id++)
            assertTrue(TensorType.ofId(id).isEmpty() || ForeignTypes.nameOf(id).isEmpty(), "number " + id);
    }

    @Test
    void hostileNamesDoNotBreakTheLine() {
        refused(new Bytes().header(0, 1).string("a\nb\r\u001b[2J\u2028\u202e" + "x".repeat(500)).u32(77).zeros(8));
        String message = refused(oneTensor().tensor("t\n\u0000\u0085", 99_999, 0, 1).pad(32).zeros(4));
        assertTrue(message.contains("t\\u{a}\\u{0}\\u{85}"), message);
    }
}
