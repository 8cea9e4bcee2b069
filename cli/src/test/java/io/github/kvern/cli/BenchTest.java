package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.Json;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchTest {
    @Test
    void jsonHasTheFieldsOfTheContract() {
        Run run = Run.of("bench", "-p", "8", "-n", "3", "-r", "4", "-t", "1", "--json", "--weights", "mapped");
        assertEquals(0, run.exitCode(), run::toString);
        List<Object> tests = Json.list(Json.parse(run.out()));
        assertEquals(2, tests.size());
        for (int i = 0; i < 2; i++) {
            Map<String, Object> test = Json.object(tests.get(i));
            assertEquals(List.of("test", "threads", "runs", "median", "weights", "weightsReason"), List.copyOf(test.keySet()));
            assertEquals(i == 0 ? "pp8" : "tg3", test.get("test"));
            assertEquals(1.0, test.get("threads"));
            assertEquals("mapped", test.get("weights"));
            assertEquals("asked for", test.get("weightsReason"));
            List<Double> runs = Json.list(test.get("runs")).stream().map(Double.class::cast).sorted().toList();
            assertEquals(4, runs.size());
            assertTrue(runs.getFirst() > 0, run::toString);
            assertEquals((runs.get(1) + runs.get(2)) / 2, (Double) test.get("median"), 0.002);
        }
    }

    @Test
    void zeroLeavesATestOut() {
        assertEquals("[]\n", Run.of("bench", "-p", "0", "-n", "0", "--json").out());
        Run one = Run.of("bench", "-p", "0", "-n", "1", "-r", "1");
        assertEquals(0, one.exitCode(), one::toString);
        assertEquals(3, one.out().lines().count(), one::toString);
        assertTrue(one.out().lines().toList().get(2).matches("  tg1  [0-9.]+ tokens/s  runs [0-9.]+"), one::toString);
    }
}
