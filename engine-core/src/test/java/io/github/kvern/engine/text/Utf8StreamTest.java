package io.github.kvern.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Utf8StreamTest {
    @Test
    void wholeCharactersOnly() {
        Utf8Stream stream = new Utf8Stream();
        assertEquals("a", stream.append(bytes('a', 0xE4)));
        assertTrue(stream.holds());
        assertEquals("", stream.append(bytes(0xB8)));
        assertEquals("中b", stream.append(bytes(0xAD, 'b')));
        assertFalse(stream.holds());
        assertEquals("", stream.append(bytes(0xF0, 0x9F, 0x98)));
        assertEquals("\uD83D\uDE00", stream.append(bytes(0x80)));
        assertEquals("", stream.append(bytes()));
        assertEquals("", stream.finish());
    }

    @Test
    void whatIsNotUtf8IsReplaced() {
        Utf8Stream stream = new Utf8Stream();
        assertEquals("", stream.append(bytes(0xC3)));
        assertEquals("\uFFFDx", stream.append(bytes('x')));
        assertEquals("\uFFFD\uFFFD", stream.append(bytes(0xFF, 0x80)));
        assertEquals("", stream.append(bytes(0xE2, 0x82)));
        assertEquals("\uFFFD", stream.finish());
        assertEquals("again", stream.append("again".getBytes(StandardCharsets.UTF_8)), "a new text may begin");
        assertEquals("", stream.finish());
    }

    /// Random bytes, mostly near the bounds of what is UTF-8, in random pieces: as if decoded at once.
    @ParameterizedTest
    @ValueSource(longs = {31, 32, 33, 34})
    void anySplitGivesTheSame(long seed) {
        Random random = new Random(seed);
        int[] edges = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
                0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
        for (int round = 0; round < 20_000; round++) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int n = random.nextInt(12); n > 0; n--) {
                if (random.nextInt(3) == 0) all.writeBytes("aé中\uD83D\uDE00".getBytes(StandardCharsets.UTF_8));
                else all.write(edges[random.nextInt(edges.length)]);
            }
            byte[] bytes = all.toByteArray();
            Utf8Stream stream = new Utf8Stream();
            StringBuilder text = new StringBuilder();
            for (int from = 0; from < bytes.length;) {
                int to = Math.min(bytes.length, from + random.nextInt(5));
                text.append(stream.append(Arrays.copyOfRange(bytes, from, to)));
                from = to;
            }
            text.append(stream.finish());
            assertEquals(new String(bytes, StandardCharsets.UTF_8), text.toString(),
                    () -> "seed " + seed + ", bytes " + Arrays.toString(bytes));
        }
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) values[i];
        return bytes;
    }
}
