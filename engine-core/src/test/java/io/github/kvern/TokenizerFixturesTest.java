package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.testdata.Json;
import io.github.kvern.testdata.TestData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Vocabularies of well-known models, which are no part of this repository: every case of the wide set. Expected is what the model's
/// own tokenizer gives where the case says so (`ids_original`), else what llama.cpp gives. The wide set knows no original for
/// `kimi-k2-standin`.
///
/// Texts that are not UTF-8 cannot be encoded, a `String` holds none; of those cases only the way back is tested.
class TokenizerFixturesTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama-bpe", "llama4-standin", "qwen2", "deepseek-v3", "kimi-k2-standin", "spm-llama"})
    void everyCase(String name, TestReporter reporter) throws IOException {
        Path wide = TestData.shared().map(shared -> shared.resolve("fixtures/tokenizers")).filter(Files::isDirectory).orElse(null);
        Assumptions.assumeTrue(wide != null, "SKIPPED: the wide set of tokenizer cases is not on this machine");
        Tokenizer tokenizer = load(wide.resolve(name + ".gguf.gz"));
        Map<String, Object> json = Json.parse(wide.resolve(name + ".cases.json"));
        int encoded = 0;
        int decodedOnly = 0;
        for (Object value : Json.list(json.get("cases"))) {
            Map<String, Object> one = Json.object(value);
            String label = name + " case " + one.get("id");
            Object original = one.getOrDefault("ids_original", Json.NULL);
            int[] ids = Json.ints(original == Json.NULL ? one.get("ids") : original);
            int[] special = Json.ints(original == Json.NULL ? one.getOrDefault("ids_special", one.get("ids")) : original);
            if (one.get("text") instanceof String text) {
                encoded++;
                assertArrayEquals(ids, tokenizer.encode(text), label);
                assertArrayEquals(special, tokenizer.encode(text, true), label + ", special");
                if (one.get("detok_special") instanceof String detok) assertEquals(detok, tokenizer.decode(special, true), label);
            } else {
                decodedOnly++;
            }
            // the reference removes some spaces when it decodes with llama-bpe; and a text not in form C does not come back with qwen2
            if (!name.equals("llama-bpe") && original == Json.NULL)
                assertArrayEquals(bytes(one), withoutFirstSpace(name, tokenizer, ids), label);
        }
        Object begin = json.get("bos_added");
        assertEquals(begin != Json.NULL, tokenizer.addsBos(), name);
        if (begin != Json.NULL) assertEquals(((Double) begin).intValue(), tokenizer.bos().getAsInt(), name);
        assertTrue(encoded >= 200, name + ": only " + encoded + " cases");
        reporter.publishEntry(name, encoded + " texts encoded; of " + decodedOnly + " that are not UTF-8 only the way back");
    }

    /// The bytes that decoding gives according to a case.
    private static byte[] bytes(Map<String, Object> one) {
        if (one.get("detok_base64") instanceof String coded) return Base64.getDecoder().decode(coded);
        if (one.get("detok") instanceof String text) return text.getBytes(StandardCharsets.UTF_8);
        if (one.get("base64") instanceof String coded) return Base64.getDecoder().decode(coded);
        return ((String) one.get("text")).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] withoutFirstSpace(String name, Tokenizer tokenizer, int[] ids) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int id : ids) all.writeBytes(tokenizer.bytes(id));
        byte[] bytes = all.toByteArray();
        return name.startsWith("spm") && bytes.length > 0 && bytes[0] == ' ' ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    private Tokenizer load(Path zipped) throws IOException {
        Path plain = folder.resolve("vocabulary.gguf");
        try (InputStream in = new GZIPInputStream(Files.newInputStream(zipped))) {
            Files.copy(in, plain);
        }
        try (GgufFile file = GgufFile.open(plain)) {
            return Tokenizer.of(file);
        }
    }
}
