package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every field of a file's front made wrong in turn: exit code 3, and one line with file, place, what was expected and what was found.
class FieldsTest {
    private static final int STRING = 8, ARRAY = 9, UINT32 = 4, BOOL = 7;
    private static final int F32 = 0, F16 = 1, Q8_0 = 8;

    @TempDir
    private Path folder;

    /// A small sound file, and where each of its fields is.
    private static final class Front {
        final ByteBuffer bytes = ByteBuffer.allocate(1 << 10).order(ByteOrder.LITTLE_ENDIAN);
        final Map<String, Integer> fields = new LinkedHashMap<>();

        Front() {
            field("magic").put("GGUF".getBytes(StandardCharsets.US_ASCII));
            field("version").putInt(3);
            field("tensor count").putLong(2);
            field("key count").putLong(4);
            string("first key", "general.architecture");
            field("first value's type").putInt(STRING);
            string("string", "llama");
            string("second key", "words");
            bytes.putInt(ARRAY);
            field("array type").putInt(STRING);
            field("array length").putLong(2);
            string("array's string", "a");
            bytes.putLong(1).put((byte) 'b');
            string("third key", "general.alignment");
            field("alignment's type").putInt(UINT32);
            field("alignment").putInt(32);
            string("fourth key", "flag");
            bytes.putInt(BOOL);
            field("flag").put((byte) 1);
            string("first tensor", "a.weight");
            field("dimension count").putInt(2);
            field("first dimension").putLong(32);
            field("second dimension").putLong(2);
            field("type").putInt(Q8_0);
            field("first offset").putLong(0);
            string("second tensor", "b.weight");
            bytes.putInt(1).putLong(8).putInt(F32);
            field("second offset").putLong(96);
            bytes.position(Math.ceilDiv(bytes.position(), 32) * 32 + 96 + 32);
        }

        private ByteBuffer field(String name) {
            fields.put(name, bytes.position());
            return bytes;
        }

        private void string(String name, String text) {
            field(name + ": length").putLong(text.length());
            field(name + ": bytes").put(text.getBytes(StandardCharsets.US_ASCII));
        }

        byte[] array() {
            return Arrays.copyOf(bytes.array(), bytes.position());
        }

        /// Where a field is.
        int at(String field) {
            Integer at = fields.get(field);
            if (at == null) throw new IllegalArgumentException(field);
            return at;
        }
    }

    private byte[] write(byte[] bytes) throws IOException {
        return Files.readAllBytes(Files.write(folder.resolve("m.gguf"), bytes));
    }

    @Test
    void theFileItselfIsSound() throws IOException {
        write(new Front().array());
        Run run = Run.plain(new byte[0], "inspect", folder.resolve("m.gguf").toString());
        assertEquals(0, run.exitCode(), run::toString);
        assertTrue(run.out().contains("a.weight") && run.out().contains("b.weight"), run::toString);
    }

    /// What is written where, and what the line has to say.
    private record Wrong(String field, byte[] value, List<String> said) {
        static Wrong text(String field, String value, String... said) {
            return new Wrong(field, value.getBytes(StandardCharsets.ISO_8859_1), List.of(said));
        }

        static Wrong int32(String field, long value, String... said) {
            return new Wrong(field, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt((int) value).array(), List.of(said));
        }

        static Wrong int64(String field, long value, String... said) {
            return new Wrong(field, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array(), List.of(said));
        }
    }

    private static List<Wrong> header() {
        List<Wrong> all = new ArrayList<>(List.of(Wrong.text("magic", "GGUX", "a GGUF file", "another kind of file"),
                Wrong.text("magic", "\0\0\0\0", "a GGUF file", "another kind of file"), Wrong.text("magic", "FUGG", "big-endian"),
                Wrong.int32("version", 0, "version 2 or 3", "0"), Wrong.int32("version", -1, "version 2 or 3", "4294967295"),
                Wrong.int32("version", 1, "versions 2 and 3", "version 1"), Wrong.int32("version", 4, "versions 2 and 3", "version 4"),
                Wrong.int32("version", 0x0300_0000, "big-endian"), Wrong.int64("key count", 3, "tensor \"flag\"", "dimensions"),
                Wrong.int64("key count", 5, "tensor 1 of 2", "name"), Wrong.int64("tensor count", 3, "tensor 3 of 3")));
        for (long n : new long[] {1 << 20, 1L << 32, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            String found = "found " + Long.toUnsignedString(n);
            all.add(Wrong.int64("tensor count", n, "tensors", found));
            all.add(Wrong.int64("key count", n, "metadata keys", found));
            all.add(Wrong.int64("array length", n, "\"words\"", "array elements", found));
            all.add(Wrong.int64("string: length", n, "\"general.architecture\"", n == 1 << 20 ? "1048576 more bytes" : found));
            all.add(Wrong.int64("array's string: length", n, "\"words\"", n == 1 << 20 ? "1048576 more bytes" : found));
            for (String key : List.of("first", "second", "third"))
                all.add(Wrong.int64(key + " key: length", n, "metadata key", "at most 65535 bytes", found));
        }
        all.add(Wrong.int64("first key: length", 0, "metadata key 1 of 4", "empty"));
        all.add(Wrong.int64("first key: length", 19, "key \"general.architectur\"", "value type"));
        all.add(Wrong.int64("first key: length", 21, "key \"general.architecture\\u{8}\"", "value type"));
        all.add(Wrong.int64("string: length", 4, "metadata key 2 of 4", "key"));
        all.add(Wrong.int64("string: length", 6, "metadata key 2 of 4", "key"));
        all.add(Wrong.int64("array length", 1, "key \"b\"", "value type"));
        all.add(Wrong.int64("array length", 3, "metadata key 3 of 4"));
        all.add(Wrong.text("first key: bytes", "general.\u00C3(", "metadata key 1 of 4", "UTF-8"));
        all.add(Wrong.text("fourth key: bytes", "\u00FFlag", "metadata key 4 of 4", "UTF-8"));
        for (long type : new long[] {13, 255, 1 << 16, 0xFFFF_FFFFL}) {
            all.add(Wrong.int32("first value's type", type, "\"general.architecture\"", "value type from 0 to 12", "found " + type));
            all.add(Wrong.int32("array type", type, "\"words\"", "value type from 0 to 12", "found " + type));
        }
        for (int type : new int[] {0, 4, 6, 7, 9, 10, 12}) all.add(Wrong.int32("first value's type", type));
        for (long alignment : new long[] {0, 1, 3, 4, 24, 1 << 21, 0x8000_0000L, 0xFFFF_FFFFL})
            all.add(Wrong.int32("alignment", alignment, "\"general.alignment\"", "a power of two from 8 to 1048576", "found " + alignment));
        all.add(Wrong.int32("alignment", 128, "multiple of 128", "found 96"));
        all.add(Wrong.int32("alignment's type", 6, "\"general.alignment\"", "found FLOAT32"));
        all.add(Wrong.text("flag", "\2", "\"flag\"", "0 or 1", "found 2"));
        return all;
    }

    private static List<Wrong> tensor() {
        List<Wrong> all = new ArrayList<>();
        for (long n : new long[] {256, 1L << 32, Long.MAX_VALUE, -1})
            all.add(Wrong.int64("first tensor: length", n, "tensor 1 of 2", "at most 255 bytes", "found " + Long.toUnsignedString(n)));
        all.add(Wrong.int64("first tensor: length", 0, "tensor 1 of 2", "empty"));
        all.add(Wrong.int64("first tensor: length", 7, "tensor \"a.weigh\"", "dimensions"));
        all.add(Wrong.text("first tensor: bytes", "\u0080.weight", "tensor 1 of 2", "UTF-8"));
        all.add(Wrong.text("second tensor: bytes", "a.weight", "\"a.weight\"", "twice"));
        for (long n : new long[] {5, 1 << 30, 0x8000_0000L, 0xFFFF_FFFFL})
            all.add(Wrong.int32("dimension count", n, "\"a.weight\"", "at most 4 dimensions", "found " + n));
        for (int n : new int[] {0, 1, 3, 4}) all.add(Wrong.int32("dimension count", n, "tensor "));
        for (String dimension : List.of("first dimension", "second dimension")) {
            for (long n : new long[] {0, -1, Long.MIN_VALUE}) all.add(Wrong.int64(dimension, n, "\"a.weight\"", "extents", "" + n));
            all.add(Wrong.int64(dimension, 1L << 62, "\"a.weight\"", "counted"));
            all.add(Wrong.int64(dimension, 1L << 40, "\"a.weight\"", "data section"));
        }
        all.add(Wrong.int64("first dimension", 33, "\"a.weight\"", "multiple of 32", "33"));
        all.add(Wrong.int64("second dimension", 3, "\"b.weight\"", "offset 102 or later", "found offset 96"));
        for (long type : new long[] {43, 1000, 0x7FFF_FFFF, 0xFFFF_FFFFL})
            all.add(Wrong.int32("type", type, "\"a.weight\"", "the number of a tensor type", "found " + type));
        all.add(Wrong.int32("type", 4, "\"a.weight\"", "Q4_2", "not supported"));
        all.add(Wrong.int32("type", 12, "\"a.weight\"", "multiple of 256", "32"));
        all.add(Wrong.int32("type", F16, "\"b.weight\"", "offset 128 or later"));
        all.add(Wrong.int32("type", F32, "\"a.weight\"", "256 bytes", "data section"));
        for (long offset : new long[] {1, 31, 33, -32, Long.MIN_VALUE})
            all.add(Wrong.int64("first offset", offset, "\"a.weight\"", "multiple of 32", "found " + Long.toUnsignedString(offset)));
        for (long offset : new long[] {128, 1L << 40, 1L << 62, Long.MAX_VALUE - 31})
            all.add(Wrong.int64("second offset", offset, "\"b.weight\"", "at offset " + offset, "data section"));
        for (long offset : new long[] {0, 32, 64})
            all.add(Wrong.int64("second offset", offset, "weight\"", "or later, after", "found offset"));
        return all;
    }

    @Test
    void ofTheHeader() throws IOException {
        areRefused(header());
    }

    @Test
    void ofATensorsEntry() throws IOException {
        areRefused(tensor());
    }

    /// Every field is tried, whatever is added to the file.
    @Test
    void noneIsLeftOut() {
        List<String> tried = new ArrayList<>();
        for (Wrong w : header()) tried.add(w.field);
        for (Wrong w : tensor()) tried.add(w.field);
        for (String field : new Front().fields.keySet()) {
            boolean twin = field.startsWith("second key") || field.startsWith("third key") || field.startsWith("fourth key")
                    || field.startsWith("second tensor") || field.equals("string: bytes") || field.equals("array's string: bytes");
            assertTrue(twin || tried.contains(field), field);
        }
    }

    private void areRefused(List<Wrong> all) throws IOException {
        for (Wrong wrong : all) {
            Front front = new Front();
            byte[] bytes = front.array();
            System.arraycopy(wrong.value, 0, bytes, front.at(wrong.field), wrong.value.length);
            write(bytes);
            isRefused(wrong.field + " = " + Arrays.toString(wrong.value), wrong.said);
        }
    }

    private void isRefused(String what, List<String> said) {
        Path path = folder.resolve("m.gguf");
        for (List<String> verb : List.of(List.of("inspect", path.toString()), List.of("generate", "-m", path.toString(), "-n", "1", "x"))) {
            Run run = Run.plain(new byte[0], verb.toArray(String[]::new));
            assertEquals(3, run.exitCode(), () -> what + ": " + run);
            assertEquals("", run.out(), what);
            assertEquals(1, run.err().lines().count(), () -> what + ": " + run);
            assertTrue(run.err().startsWith("kvern: " + path + ": "), () -> what + ": " + run);
            for (String words : said) assertTrue(run.err().contains(words), () -> what + ": \"" + words + "\" in " + run);
        }
    }

    /// Fewer tensors than there are, in a model: one of them is missed.
    @Test
    void aTensorCountThatIsTooSmall() throws IOException {
        byte[] bytes = Files.readAllBytes(Path.of(Run.MODEL));
        ByteBuffer front = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        front.putLong(8, front.getLong(8) - 1);
        write(bytes);
        Run run = Run.plain(new byte[0], "generate", "-m", folder.resolve("m.gguf").toString(), "-n", "1", "x");
        assertEquals(3, run.exitCode(), run::toString);
        assertEquals(1, run.err().lines().count(), run::toString);
        assertTrue(run.err().contains("m.gguf: ") && run.err().contains("tensor"), run::toString);
    }
}
