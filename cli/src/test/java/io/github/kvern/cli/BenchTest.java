package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class BenchTest {
    private static final String PLAIN = "kvern: not all kernels were compiled to vector code";

    @Test
    void jsonHasTheFieldsOfTheContract() {
        Run run = Run.of("bench", "-p", "8", "-n", "3", "-r", "4", "-t", "1", "--json", "--weights", "mapped");
        assertEquals(0, run.exitCode(), run::toString);
        List<Object> tests = Json.list(Json.parse(run.out()));
        assertEquals(2, tests.size());
        for (int i = 0; i < 2; i++) {
            Map<String, Object> test = Json.object(tests.get(i));
            assertEquals(List.of("test", "threads", "runs", "median", "weights", "weightsReason", "kernelsCompiled"),
                    List.copyOf(test.keySet()));
            assertEquals(i == 0 ? "pp8" : "tg3", test.get("test"));
            assertEquals(1.0, test.get("threads"));
            assertEquals("mapped", test.get("weights"));
            assertEquals("asked for", test.get("weightsReason"));
            assertEquals(!run.err().contains(PLAIN), test.get("kernelsCompiled"), run::toString);
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

    /// Figures of code that was not compiled say so.
    @Test
    void tellsOfKernelsThatWereNotCompiled() {
        for (boolean compiled : new boolean[] {true, false}) {
            Run run = after(compiled, "-p", "0", "-n", "1", "-r", "1");
            assertEquals(0, run.exitCode(), run::toString);
            assertEquals(compiled ? 0 : 1, run.err().lines().filter(l -> l.startsWith(PLAIN)).count(), run::toString);
            Run json = after(compiled, "-p", "0", "-n", "1", "-r", "1", "--json");
            Map<String, Object> test = Json.object(Json.list(Json.parse(json.out())).getFirst());
            assertEquals(compiled, test.get("kernelsCompiled"), json::toString);
            assertEquals(compiled ? 0 : 1, json.err().lines().filter(l -> l.startsWith(PLAIN)).count(), json::toString);
        }
    }

    private static Run after(boolean compiled, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(), err = new ByteArrayOutputStream();
        Terminal terminal = Terminal.of(new ByteArrayInputStream(new byte[0]), out, err);
        int exitCode = new CommandLine(new BenchCommand(new Session(terminal, new Interrupts()), model -> compiled))
                .execute(Stream.concat(Stream.of("-m", Run.MODEL), Stream.of(args)).toArray(String[]::new));
        return new Run(exitCode, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }
}
