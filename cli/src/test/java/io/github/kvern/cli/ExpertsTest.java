package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.TypeConversionException;

class ExpertsTest {
    @TempDir
    private Path folder;

    private static Run run(String... arguments) {
        return Run.plain(new byte[0], arguments);
    }

    private Run generate(String... options) {
        String[] all = {"generate", "-m", Run.MODEL, "--weights", "mapped", "--temp", "0", "-n", "6", "Once upon a time"};
        String[] with = java.util.Arrays.copyOf(all, all.length + options.length);
        System.arraycopy(options, 0, with, all.length, options.length);
        return run(with);
    }

    @Test
    void aTraceIsWrittenAndShown() throws IOException {
        String trace = folder.resolve("trace.csv").toString();
        Run plain = generate(), traced = generate("--expert-trace", trace);
        assertEquals(0, traced.exitCode(), traced::toString);
        assertEquals(plain.out(), traced.out());
        Run shown = run("experts", trace);
        assertEquals(0, shown.exitCode(), shown::toString);
        assertTrue(shown.out().contains("Fables-10M-A6M") && shown.out().contains("hottest tenth") && shown.out().contains("layer 1, "),
                shown::toString);
        assertTrue(shown.out().contains("locking them saves nothing"), shown::toString);
        Run small = run("experts", trace, "--no-table", "--memory", "64K", "--budget", "32K");
        assertEquals(0, small.exitCode(), small::toString);
        assertTrue(small.out().contains("nothing locked") && small.out().contains("by chance"), small::toString);
        assertFalse(small.out().contains("layer 1, "), small::toString);
        Run much = run("experts", trace, "--memory", "1M", "--budget", "2M");
        assertEquals(2, much.exitCode(), much::toString);
    }

    @Test
    void failsInOneLine() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.csv"), "layer,expert\n");
        String trace = folder.resolve("trace.csv").toString();
        assertEquals(0, generate("--expert-trace", trace).exitCode());
        Path other = Files.writeString(folder.resolve("other.csv"),
                Files.readString(Path.of(trace)).replaceFirst("model [0-9a-f]+", "model 00"));
        String dense = "../testdata/fixtures/models/llama-tied-Q4_K_M.gguf";
        for (Run run : List.of(run("experts", bad.toString()), run("experts", folder.resolve("none.csv").toString()), run("experts"),
                run("experts", trace, "--memory", "much"), generate("--pin-experts", "1M"), generate("--pin-trace", trace),
                generate("--pin-experts", "1M", "--pin-trace", bad.toString()),
                generate("--pin-experts", "1M", "--pin-trace", other.toString()),
                run("generate", "-m", dense, "--tokens", "1,2", "-n", "1", "--expert-trace", folder.resolve("dense.csv").toString()))) {
            assertEquals(2, run.exitCode(), run::toString);
            assertEquals(1, run.err().lines().filter(l -> l.startsWith("kvern: ")).count(), run::toString);
            assertFalse(run.err().contains("\tat "), run::toString);
        }
        Run nowhere = generate("--expert-trace", folder.resolve("no/where.csv").toString());
        assertEquals(1, nowhere.exitCode(), nowhere::toString);
    }

    @Test
    void sizes() {
        ByteSize size = new ByteSize();
        assertEquals(500, size.convert("500"));
        assertEquals(512L << 20, size.convert("512M"));
        assertEquals(4L << 30, size.convert("4GiB"));
        assertEquals(2L << 40, size.convert("2tb"));
        for (String wrong : List.of("", "G", "-1", "1.5G", "4X", "9999999999T", "1 G"))
            assertThrows(TypeConversionException.class, () -> size.convert(wrong), wrong);
    }
}
