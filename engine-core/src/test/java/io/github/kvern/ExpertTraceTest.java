package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Traces of experts: written and read again, refused when they are none, and what is worked out from them.
class ExpertTraceTest {
    @TempDir
    private Path folder = Path.of("");

    private static ExpertStats used(int layer, int expert, long uses, long steps, long bytes) {
        return new ExpertStats(layer, expert, uses, uses, 0, steps, bytes, OptionalLong.empty(), OptionalLong.empty());
    }

    private ExpertTrace read(String text) throws IOException {
        return ExpertTrace.read(Files.writeString(folder.resolve("trace.csv"), text));
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        ExpertTrace trace = new ExpertTrace("abc", "a, model", List.of(
                new ExpertStats(1, 0, 12, 9, 4, 10, 100, OptionalLong.of(70), OptionalLong.of(1000)), used(1, 1, 0, 10, 100)));
        assertEquals(trace, read(trace.text()));
        assertEquals("# kvern expert trace 1, model abc, a, model\nlayer,expert,tokens,uses,repeats,layer_steps,bytes,resident,missed\n"
                + "1,0,12,9,4,10,100,70,1000\n1,1,0,0,0,10,100,,\n", trace.text());
        String odd = new ExpertTrace("abc", "two\nlines", trace.experts()).text();
        assertEquals("two?lines", read(odd).name());
    }

    @Test
    void whatIsNoTraceIsRefusedInOneLine() throws IOException {
        String head = "# kvern expert trace 1, model abc, name\nlayer,expert,tokens,uses,repeats,layer_steps,bytes,resident,missed\n";
        String good = "1,0,12,9,4,10,100,70,1000";
        assertEquals(1, read(head + good).experts().size());
        List<String> wrong = new ArrayList<>(
                List.of("", "no trace", "GGUF\0\0\0", head.replace("trace 1", "trace 2"), head.replace("uses", "steps"),
                        head + "1,2,3", head + good + ",1", head + good + "\n" + good, head + "\n" + good, head + "x".repeat(100_000)));
        String[] values = good.split(",");
        for (int i = 0; i < values.length; i++)
            for (String value : List.of("-1", "1.5", "99999999999999999999", "0x1", " 1", "1e3", "99999999999999999", i < 7 ? "" : "x",
                    "\u0661")) {
                        String[] changed = values.clone();
                        changed[i] = value;
                        wrong.add(head + String.join(",", changed));
                    }
        for (String row : List.of("70000,0,12,9,4,10,100,,", "1,70000,12,9,4,10,100,,", "1,0,8,9,4,10,100,,", "1,0,12,11,4,10,100,,",
                "1,0,12,9,10,10,100,,", "1,0,12,9,4,10,0,,", "1,0,12,9,4,10,100,101,"))
            wrong.add(head + row);
        for (String text : wrong) {
            String message = assertThrows(IllegalArgumentException.class, () -> read(text), text).getMessage();
            assertTrue(message.contains("trace.csv, line ") && message.contains("expected ") && message.contains("found "), message);
            assertTrue(message.length() < 300 && message.lines().count() == 1, message);
        }
        Files.write(folder.resolve("bytes.csv"), new byte[] {'#', (byte) 0xff, '\n'});
        assertTrue(assertThrows(IllegalArgumentException.class, () -> ExpertTrace.read(folder.resolve("bytes.csv"))).getMessage()
                .contains("UTF-8"));
        assertThrows(IOException.class, () -> ExpertTrace.read(folder.resolve("none.csv")));
    }

    /// Changed at random, a trace is a trace or refused: nothing else.
    @Test
    void mutated() throws IOException {
        StringBuilder rows = new StringBuilder();
        for (int e = 0; e < 8; e++) rows.append("1,").append(e).append(",12,9,4,10,100,70,1000\n");
        byte[] good = ("# kvern expert trace 1, model abc, name\nlayer,expert,tokens,uses,repeats,layer_steps,bytes,resident,missed\n"
                + rows)
                .getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("mutated.csv");
        int read = 0;
        for (long seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = good.clone();
            for (int i = 0; i <= random.nextInt(3); i++)
                bytes[random.nextInt(bytes.length)] = random.nextBoolean() ? (byte) random.nextInt(256)
                        : (byte) ("0123456789,\n").charAt(random.nextInt(12));
            Files.write(file, bytes);
            try {
                ExpertTrace trace = ExpertTrace.read(file);
                trace.advice(300, 100);
                read++;
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().contains("mutated.csv"), "seed " + seed + ": " + e.getMessage());
            }
        }
        assertTrue(read > 0 && read < 2_000, read + " were read");
    }

    @Test
    void theHottestForTheirSizeThatFit() {
        ExpertTrace trace = new ExpertTrace("abc", "name",
                List.of(used(1, 0, 5, 10, 100), used(1, 1, 9, 10, 100), used(2, 0, 9, 10, 50), used(2, 1, 0, 10, 1),
                        used(2, 2, 2, 10, 30)));
        assertEquals(List.of(trace.experts().get(2), trace.experts().get(1)), trace.hottest(150));
        assertEquals(List.of(trace.experts().get(2), trace.experts().get(4)), trace.hottest(149));
        assertEquals(List.of(), trace.hottest(10));
        assertEquals(4, trace.hottest(1_000).size());
    }

    /// Experts that are all used alike: a cache of a share of them misses the rest, and which part of it is locked does not matter.
    @Test
    void lockingSomeOfEquallyUsedOnesSavesNothing() {
        List<ExpertStats> all = new ArrayList<>();
        for (int e = 0; e < 100; e++) all.add(used(0, e, 80, 1_000, 1_000));
        ExpertAdvice advice = new ExpertTrace("abc", "name", all).advice(40_000, 20_000);
        assertEquals(100_000, advice.expertBytes());
        assertEquals(20_000, advice.lockedBytes());
        assertEquals(100 * 0.08 * 1_000 * 0.6, advice.missedWithout(), 1);
        assertEquals(advice.missedWithout(), advice.missedWith(), 1);
        assertEquals(0.08, advice.expectedRepeats(), 1e-9);
        assertFalse(advice.pays());
        assertEquals(80, advice.usesPerExpert(), 1e-9);
        assertFalse(advice.isThin());
    }

    /// A few that come always stay in any cache; a middle group that a cache half keeps is what locking saves.
    @Test
    void lockingPaysWhereACacheWouldLoseThem() {
        List<ExpertStats> all = new ArrayList<>();
        for (int e = 0; e < 20; e++) all.add(used(0, e, 50, 1_000, 1_000)); // one in twenty steps
        for (int e = 20; e < 400; e++) all.add(used(0, e, 10, 1_000, 1_000)); // one in a hundred
        ExpertTrace trace = new ExpertTrace("abc", "name", all);
        ExpertAdvice advice = trace.advice(30_000, 20_000);
        // locked: 20 of these; the other 10 go to 380 alike
        assertEquals(380 * 0.01 * 1_000 * (1 - 10.0 / 380), advice.missedWith(), 5);
        assertTrue(advice.missedWithout() > advice.missedWith() * 1.1, advice.toString());
        assertTrue(advice.pays());
        assertTrue(advice.isThin(), "12 uses an expert");
        ExpertAdvice fits = trace.advice(400_000, 0);
        assertEquals(0, fits.missedWithout());
        assertFalse(fits.pays());
        assertFalse(new ExpertTrace("abc", "name", List.of()).advice(10, 5).pays());
    }
}
