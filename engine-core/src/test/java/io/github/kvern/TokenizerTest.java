package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.testdata.Json;
import io.github.kvern.testdata.TestData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The vocabulary of the model in this repository, against ids that llama.cpp gives.
class TokenizerTest {
    private static Tokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        try (GgufFile file = GgufFile.open(TestData.folder().resolve("models/fables-10m-a6m-Q4_K_M.gguf"))) {
            tokenizer = Tokenizer.of(file);
        }
    }

    static Stream<Map<String, Object>> cases() throws IOException {
        List<Object> cases = Json.list(Json.parse(TestData.folder().resolve("fixtures/tokenizers/fables-10m.cases.json")).get("cases"));
        assertTrue(cases.size() >= 40, "cases");
        return cases.stream().map(Json::object);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void idsAreTheKnownOnes(Map<String, Object> one) {
        String text = (String) one.get("text");
        int[] ids = Json.ints(one.getOrDefault("ids_original", one.get("ids")));
        int[] special = Json
                .ints(one.containsKey("ids_special") ? one.get("ids_special") : one.getOrDefault("ids_original", one.get("ids")));
        assertArrayEquals(ids, tokenizer.encode(text));
        assertArrayEquals(special, tokenizer.encode(text, true));
        assertEquals(text, tokenizer.decode(ids));
        assertEquals(text, tokenizer.decode(special, true));
    }

    @Test
    void knowsItsSpecialTokens() {
        assertEquals(4096, tokenizer.size());
        assertEquals(4091, tokenizer.bos().getAsInt());
        assertEquals(4092, tokenizer.eos().getAsInt());
        assertTrue(tokenizer.addsBos());
        assertArrayEquals(new int[] {4092, 4095}, tokenizer.endOfGeneration());
        assertEquals("<|eot|>", tokenizer.piece(4095));
        assertTrue(tokenizer.isControl(4095) && !tokenizer.isControl(100));
        assertFalse(tokenizer.isEndOfGeneration(4091));
        assertEquals("Hi", tokenizer.decode(tokenizer.encode("<|begin_of_text|>Hi<|eot|>", true)));
    }

    @Test
    void refusesIdsThatAreNone() {
        for (int id : new int[] {-1, 4096, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> tokenizer.bytes(id));
            assertThrows(IllegalArgumentException.class, () -> tokenizer.piece(id));
            assertThrows(IllegalArgumentException.class, () -> tokenizer.isControl(id));
            assertThrows(IllegalArgumentException.class, () -> tokenizer.isEndOfGeneration(id));
            assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(5, id));
            assertThrows(IllegalArgumentException.class, () -> tokenizer.decoder(true).append(id));
        }
    }

    @Test
    void loneSurrogatesAreReplaced() {
        for (String text : new String[] {"a\uD800", "\uDC00a", "\uD800\uD800\uDC00", "\uDC00\uD800", "x\uDBFFy\uDFFF"}) {
            String clean = new String(text.getBytes(StandardCharsets.UTF_16), StandardCharsets.UTF_16);
            assertTrue(clean.contains("\uFFFD"), clean);
            assertArrayEquals(tokenizer.encode(clean), tokenizer.encode(text));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void everyTextComesBack(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 300; i++) {
            String text = Texts.random(random, 60);
            int[] ids = tokenizer.encode(text, random.nextBoolean());
            assertEquals(text, tokenizer.decode(ids, true), () -> "seed " + seed);
            TokenDecoder decoder = tokenizer.decoder(true);
            StringBuilder streamed = new StringBuilder();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int id : ids) {
                streamed.append(decoder.append(id));
                bytes.writeBytes(tokenizer.bytes(id));
                String soFar = bytes.toString(StandardCharsets.UTF_8);
                assertTrue(soFar.startsWith(streamed.toString()), () -> "seed " + seed + ": " + text);
            }
            assertEquals(text, streamed.append(decoder.finish()).toString(), () -> "seed " + seed);
        }
    }

    @Test
    void aStreamShowsNoHalfCharacters() {
        int[] ids = tokenizer.encode("a\uD83E\uDD8Ab");
        assertEquals(6, ids.length);
        TokenDecoder decoder = tokenizer.decoder(false);
        List<String> shown = new ArrayList<>();
        for (int id : ids) shown.add(decoder.append(id));
        assertEquals(List.of("a", "", "", "", "\uD83E\uDD8A", "b"), shown);
        decoder.append(ids[1]);
        assertEquals("\uFFFD", decoder.finish());
    }

    /// Also under memory pressure of other tests: what matters is that it ends, and does not overflow the stack.
    @ParameterizedTest
    @ValueSource(strings = {"a", "A", " ", "\n", "1", "'", "-", "é", "\u0301", "中", "\uD83D\uDE00", "\u200B", " \n", "aB", "'s", "<|",
            "ab "})
    void longRunsEnd(String unit) {
        String text = unit.repeat(1_000_000 / unit.length());
        assertEquals(text, tokenizer.decode(tokenizer.encode(text, true), true));
    }

    @Test
    void manyThreadsMayUseIt() throws Exception {
        String text = Texts.random(new Random(99), 2_000);
        int[] expected = tokenizer.encode(text, true);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<int[]>> all = new ArrayList<>();
            for (int i = 0; i < 40; i++) all.add(threads.submit(() -> tokenizer.encode(text, true)));
            for (Future<int[]> one : all) assertArrayEquals(expected, one.get());
        }
    }
}
