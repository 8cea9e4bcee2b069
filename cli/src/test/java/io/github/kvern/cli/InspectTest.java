package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.GgufWriter;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.testdata.Json;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectTest {
    @Test
    void showsWhatAPersonWantsToKnow() {
        Run run = Run.of("inspect");
        assertEquals(0, run.exitCode(), run::toString);
        for (String expected : List.of("architecture   llama4", "parameters     9,774,336", "context        512 tokens", "types (5)",
                "tensors (69)",
                "tokenizer.ggml.tokens", "STRING[4,096]", "[\"!\", \"\\\"\", \"#\", \"$\", \"%\", \"&\", ...]", "token_embd.weight",
                "256 x 4096")) {
            assertTrue(run.out().contains(expected), expected + " in\n" + run);
        }
        assertTrue(run.out().lines().allMatch(line -> line.length() < 160), run::toString);
        assertEquals(run.out(), Run.plain(new byte[0], "inspect", Run.MODEL).out());
    }

    @Test
    void jsonHasEverything() throws IOException {
        Run run = Run.of("inspect", "--json");
        assertEquals(0, run.exitCode(), run::toString);
        Map<String, Object> all = Json.object(Json.parse(run.out()));
        assertEquals(List.of("architecture", "name", "version", "bytes", "parameters", "parts", "types", "metadata", "tensors"),
                List.copyOf(all.keySet()));
        assertEquals((double) Files.size(Path.of(Run.MODEL)), all.get("bytes"));
        assertEquals(9_774_336.0, all.get("parameters"));
        Map<String, Object> metadata = Json.object(all.get("metadata"));
        assertEquals(4096, Json.list(metadata.get("tokenizer.ggml.tokens")).size());
        assertEquals("llama4", metadata.get("general.architecture"));
        assertEquals(Boolean.TRUE, metadata.get("tokenizer.ggml.add_bos_token"));
        assertEquals(69, Json.list(all.get("tensors")).size());
        Map<String, Object> first = Json.object(Json.list(all.get("tensors")).getFirst());
        assertEquals(List.of("name", "type", "shape", "bytes", "part", "offset"), List.copyOf(first.keySet()));
        assertEquals(List.of(256.0, 4096.0), first.get("shape"));
    }

    @Test
    void oddValuesAreShownAndCannotSteerTheTerminal(@TempDir Path folder) throws IOException {
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        values.put("general.architecture", MetadataValue.of(MetadataType.STRING, "no\u001b[31mne\nsuch"));
        values.put("big", MetadataValue.of(MetadataType.UINT64, new BigInteger("18446744073709551615")));
        values.put("nan", MetadataValue.of(MetadataType.FLOAT32, Float.NaN));
        values.put("deep", MetadataValue.of(MetadataType.ARRAY,
                MetadataArray.of(MetadataType.ARRAY, List.of(MetadataArray.ofInts(1, 2), MetadataArray.ofFloats(0.5f)))));
        values.put("none", MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts()));
        Path file = folder.resolve("odd.gguf");
        new GgufWriter(Metadata.of(values)).write(file);
        Run run = Run.plain(new byte[0], "inspect", file.toString());
        assertEquals(0, run.exitCode(), run::toString);
        assertFalse(run.out().contains("\u001b"), run::toString);
        assertTrue(run.out().contains("[[1, 2], [0.5]]") && run.out().contains("18446744073709551615"), run::toString);
        Map<String, Object> metadata = Json
                .object(Json.object(Json.parse(Run.plain(new byte[0], "inspect", "--json", file.toString()).out())).get("metadata"));
        assertEquals("no\u001b[31mne\nsuch", metadata.get("general.architecture"));
        assertEquals("NaN", metadata.get("nan"));
        assertEquals(List.of(List.of(1.0, 2.0), List.of(0.5)), metadata.get("deep"));
        assertEquals(List.of(), metadata.get("none"));
    }
}
