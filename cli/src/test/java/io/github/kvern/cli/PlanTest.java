package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanTest {
    @Test
    void tellsAPersonWhatAModelTakes() {
        Run run = Run.of("plan", "--memory", "64G", "--bandwidth", "10", "-c", "512", "--weights", "mapped", "-t", "2");
        assertEquals(0, run.exitCode(), run::toString);
        for (String expected : List.of("llama4", "512 tokens, 2 threads", "weights mapped: asked for", "routed experts", "shared experts",
                "attention", "embedding", "norms", "full", "68,719,476,736", "fits: all of it takes", "10.00 GB/s (given)", "tokens/s"))
            assertTrue(run.out().contains(expected), expected + " in\n" + run);
        assertTrue(run.out().lines().allMatch(line -> line.length() < 180), run::toString);
    }

    @Test
    void jsonHasTheSameNumbers() throws IOException {
        Run run = Run.of("plan", "--json", "--memory", "1T", "--bandwidth", "10");
        assertEquals(0, run.exitCode(), run::toString);
        Map<String, Object> all = Json.object(Json.parse(run.out()));
        assertEquals("fits", all.get("verdict"));
        Map<String, Object> bytes = Json.object(all.get("bytes"));
        assertEquals((double) Files.size(Path.of(Run.MODEL)), bytes.get("file"));
        double parts = 0, active = 0;
        for (Object part : Json.list(all.get("parts"))) {
            parts += (double) Json.object(part).get("packedBytes");
            active += (double) Json.object(part).get("activeBytes");
        }
        assertEquals(parts, bytes.get("packed"));
        assertEquals(active, bytes.get("active"));
        double sum = List.of("mapped", "packed", "made", "vectors", "cache", "buffers", "jvm").stream()
                .mapToDouble(name -> (double) bytes.get(name)).sum();
        assertEquals(sum, bytes.get("all"));
        double ceiling = (double) Json.object(all.get("ceiling")).get("tokensPerSecond");
        assertEquals(10e9 / active, ceiling, 0.001);
        Run without = Run.of("plan", "--json", "--bandwidth", "0");
        assertFalse(Json.object(Json.parse(without.out())).containsKey("ceiling"));
    }

    @Test
    void saysWhatDoesNotFitAndWhatWouldHelp() {
        Run run = Run.of("plan", "--memory", "600M", "--bandwidth", "0", "-c", "2000000", "--weights", "mapped");
        assertEquals(0, run.exitCode(), run::toString);
        assertTrue(run.out().contains("does not fit: the conversation's cache takes"), run::toString);
        assertTrue(run.out().contains("  with -c "), run::toString);
    }

    @Test
    void tellsWhatWillBeLocked() throws IOException {
        Run run = Run.of("plan", "--memory", "64G", "--bandwidth", "0", "--weights", "mapped", "--pin-experts", "1M");
        assertEquals(0, run.exitCode(), run::toString);
        assertTrue(run.out().lines().anyMatch(line -> line.contains("of these, locked") && line.contains("1,048,576")), run::toString);
        Run json = Run.of("plan", "--json", "--bandwidth", "0", "--weights", "mapped", "--pin-experts", "1048576");
        assertEquals(1048576.0, Json.object(Json.object(Json.parse(json.out())).get("bytes")).get("locked"));
        Run without = Run.of("plan", "--json", "--bandwidth", "0");
        assertEquals(0.0, Json.object(Json.object(Json.parse(without.out())).get("bytes")).get("locked"));
    }

    @Test
    void measuresTheMemory() {
        Run run = Run.of("plan", "-t", "1");
        assertEquals(0, run.exitCode(), run::toString);
        assertTrue(run.out().contains("GB/s (measured)"), run::toString);
    }

    @ParameterizedTest
    @CsvSource({"--memory, 12x", "--memory, 0", "--memory, 99999999999999T", "--memory, -5", "--bandwidth, -1", "--bandwidth, NaN",
            "--bandwidth, fast", "--kv, q8_0", "-c, -1", "-t, 0", "--weights, heap", "--load, never", "--pin-experts, -1",
            "--pin-experts, all"})
    void wrongOptionsAreOneLine(String option, String value) {
        Run run = Run.of("plan", option, value);
        assertEquals(2, run.exitCode(), run::toString);
        assertEquals(1, run.err().lines().count(), run::toString);
        if (option.equals("--kv")) assertTrue(run.err().contains("F16") && run.err().contains("F32"), run::toString);
    }
}
