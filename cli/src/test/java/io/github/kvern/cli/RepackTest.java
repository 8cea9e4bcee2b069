package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RepackTest {
    @TempDir
    private Path folder;

    @Test
    void writesWhatGenerates() throws IOException {
        String out = folder.resolve("packed.gguf").toString();
        Run run = run("repack", Run.MODEL, out);
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals("", run.out() + run.err());
        String[] packed = {"-m", Run.MODEL, "--weights", "packed"}, file = {"-m", out, "--stats"};
        Run expected = run(with(packed)), found = run(with(file));
        assertEquals(0, found.exitCode(), found::toString);
        assertEquals(expected.out(), found.out());
        assertTrue(found.err().contains("kvern: weights packed file: "), found::toString);

        Run inspect = run("inspect", out);
        assertTrue(inspect.out().contains("tensors, from " + Path.of(Run.MODEL).getFileName()), inspect::toString);
        assertEquals(line(run("inspect", Run.MODEL), "parameters"), line(inspect, "parameters"));

        Run again = run("repack", Run.MODEL, out);
        assertEquals(2, again.exitCode(), again::toString);
        assertTrue(again.err().contains(out) && again.err().contains("--force"), again::toString);
        Run forced = run("repack", "--force", "-t", "1", Run.MODEL, out);
        assertEquals(0, forced.exitCode(), forced::toString);
    }

    private static Run run(String... arguments) {
        return Run.plain(new byte[0], arguments);
    }

    private static String[] with(String... options) {
        return Stream.concat(Stream.of("generate", "--temp", "0", "-n", "12", "Once upon a time"), Stream.of(options))
                .toArray(String[]::new);
    }

    private static String line(Run run, String field) {
        return run.out().lines().filter(l -> l.strip().startsWith(field)).findFirst().orElseThrow();
    }

    @Test
    void failsInOneLineAndLeavesNothing() throws IOException {
        Path out = folder.resolve("out.gguf"), text = Files.writeString(folder.resolve("text.gguf"), "no model");
        for (List<String> wrong : List.of(List.of("3", folder.resolve("none.gguf").toString(), out.toString()),
                List.of("3", text.toString(), out.toString()), List.of("2", Run.MODEL, folder.toString()),
                List.of("1", Run.MODEL, folder.resolve("none/out.gguf").toString()))) {
            Run run = run("repack", wrong.get(1), wrong.get(2));
            assertEquals(Integer.parseInt(wrong.getFirst()), run.exitCode(), run::toString);
            assertEquals(1, run.err().lines().count(), run::toString);
        }
        Run itself = run("repack", "--force", Run.MODEL, Run.MODEL);
        assertEquals(2, itself.exitCode(), itself::toString);
        Run threads = run("repack", "-t", "0", Run.MODEL, out.toString());
        assertEquals(2, threads.exitCode(), threads::toString);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(text), files.toList());
        }
    }
}
