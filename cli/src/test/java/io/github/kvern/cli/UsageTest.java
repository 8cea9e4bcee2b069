package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Wrong usage is one clear line and exit code 2, before any model is loaded.
class UsageTest {
    private static final String MISSING_MODEL = "/nonexistent/model.gguf";

    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong("expected a verb", ""),
                wrong("Unmatched argument at index 0: 'generat' (did you mean generate", "generat"),
                wrong("Unknown option: '--tmp'", "generate", "--tmp", "1", "x"),
                wrong("'kvern generate --help'", "generate", "--tmp", "1", "x"),
                wrong("'x' is not an int", "generate", "-n", "x", "y"),
                wrong("'99999999999' is not an int", "generate", "-n", "99999999999", "y"),
                wrong("maxTokens: expected -1", "generate", "-n", "-2", "y"),
                wrong("context must be", "generate", "-c", "-1", "y"),
                wrong("threads must be 1 to", "generate", "-t", "0", "y"),
                wrong("microBatch must be 1 to", "generate", "--ubatch", "0", "y"),
                wrong("temperature: expected", "generate", "--temp", "-0.5", "y"),
                wrong("temperature: expected", "generate", "--temp", "NaN", "y"),
                wrong("topP: expected", "generate", "--top-p", "1.5", "y"),
                wrong("minP: expected", "generate", "--min-p", "-1", "y"),
                wrong("typical: expected", "generate", "--typical-p", "2", "y"),
                wrong("topK: expected", "generate", "--top-k", "-1", "y"),
                wrong("repeatPenalty: expected", "generate", "--repeat-penalty", "0", "y"),
                wrong("'q' is not a long", "generate", "--seed", "q", "y"),
                wrong("stop: expected", "generate", "--stop", "", "y"),
                wrong("--logit-bias: expected", "generate", "--logit-bias", "5", "y"),
                wrong("--logit-bias: expected", "generate", "--logit-bias", "5=abc", "y"),
                wrong("--logit-bias: expected", "generate", "--logit-bias", "-5=1", "y"),
                wrong("expected one of [EXACT, FAST]", "generate", "--precision", "high", "y"),
                wrong("expected one of [F16, F32]", "generate", "-ctk", "q8_0", "y"),
                wrong("cached in one type, found [F16, F32]", "generate", "-ctk", "f16", "-ctv", "f32", "y"),
                wrong("should be specified only once", "generate", "--seed", "1", "--seed", "2", "y"),
                wrong("Missing required parameter for option '--seed'", "generate", "y", "--seed"),
                wrong("given twice", "generate", "-p", "x", "y"),
                wrong("given twice", "generate", "-p", "x", "-f", "y"),
                wrong("found 4 arguments: put it in quotes", "generate", "Once", "upon", "a", "time"),
                wrong("cannot read /nonexistent/prompt.txt: no such file", "generate", "-f", "/nonexistent/prompt.txt"),
                wrong("found a directory", "generate", "-f", "/"),
                wrong("half of a surrogate pair", "generate", "a\uD800"),
                wrong("does not go with --detokenize", "tokenize", "--detokenize", "--bos", "1"),
                wrong("--lines reads standard input", "tokenize", "--lines", "x"),
                wrong("Missing required option: '--tokens=IDS'", "logits"),
                wrong("at least one id", "logits", "--tokens", ""),
                wrong("--tokens: number 2: expected 0 to 2147483647, found -2", "logits", "--tokens", "1,-2"),
                wrong("found 1.5", "logits", "--tokens", "1.5"),
                wrong("in front of the comma", "logits", "--tokens", "1,,2"),
                wrong("behind the last comma", "logits", "--tokens", "1,2,"),
                wrong("cannot read /nonexistent/ids.txt", "logits", "--tokens", "@/nonexistent/ids.txt"),
                wrong("--positions: expected 0 to 1", "logits", "--tokens", "1,2", "--positions", "2"),
                wrong("expected ascending numbers, found 0 behind 1", "logits", "--tokens", "1,2", "--positions", "1,0"),
                wrong("expected ascending numbers, found 1 behind 1", "logits", "--tokens", "1,2", "--positions", "1,1"),
                wrong("-p: expected 0 to", "bench", "-p", "-1"),
                wrong("-r: expected 1 to", "bench", "-r", "0"),
                wrong("two models", "inspect", "-m", "a.gguf", "b.gguf"),
                wrong("expected one of [bash, zsh]", "completion", "fish"));
    }

    private static Arguments wrong(String said, String... args) {
        return Arguments.of(said, List.of(args).equals(List.of("")) ? List.of() : List.of(args));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void isOneLineAndExitCode2(String said, List<String> args) {
        Run run = Run.plain(new byte[0], args.toArray(String[]::new));
        assertEquals(2, run.exitCode(), run::toString);
        assertEquals("", run.out());
        assertTrue(run.err().startsWith("kvern: ") && run.err().contains(said), run::toString);
        assertEquals(1, run.err().lines().count(), run::toString);
    }

    @Test
    void textThatIsNoUtf8NamesTheOffset() {
        byte[] latin1 = "Müller".getBytes(StandardCharsets.ISO_8859_1);
        for (String verb : List.of("generate", "tokenize")) {
            Run run = Run.plain(latin1, verb, "-m", MISSING_MODEL);
            assertEquals(verb.equals("generate") ? 2 : 3, run.exitCode(), run::toString);
        }
        Run run = Run.with(latin1, "tokenize");
        assertEquals(2, run.exitCode(), run::toString);
        assertEquals("kvern: standard input: expected UTF-8, found byte 0xFC at byte offset 1\n", run.err());
        Run second = Run.with("\"é\"\n\"M\u00FC\"".getBytes(StandardCharsets.ISO_8859_1), "tokenize", "--lines");
        assertEquals("kvern: standard input, line 1: expected UTF-8, found byte 0xE9 at byte offset 1\n", second.err());
    }

    @Test
    void aPromptFileThatIsNoUtf8NamesFileAndOffset(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("p.txt"), new byte[] {'a', (byte) 0xC3, '('});
        Run run = Run.of("generate", "-f", file.toString());
        assertEquals(2, run.exitCode(), run::toString);
        assertEquals("kvern: " + file + ": expected UTF-8, found byte 0xC3 at byte offset 1\n", run.err());
    }

    @Test
    void aMessageIsOneLineWhateverAFileOrArgumentSays() {
        Run run = Run.plain(new byte[0], "generate", "-f", "/nonexistent/\u001b[31m\nred");
        assertEquals(2, run.exitCode(), run::toString);
        assertEquals("kvern: cannot read /nonexistent/\\u001b[31m\\nred: no such file or folder\n", run.err());
    }

    @Test
    void helpIsNoFailure() {
        for (String verb : List.of("generate", "tokenize", "logits", "inspect", "bench", "repack", "completion")) {
            Run run = Run.plain(new byte[0], verb, "--help");
            assertEquals(0, run.exitCode(), run::toString);
            assertTrue(run.out().startsWith("Usage: kvern " + verb), run::toString);
            assertEquals("", run.err());
            assertEquals(run.out(), Run.plain(new byte[0], "help", verb).out());
        }
    }

    @Test
    void versionTellsWhatRuns() {
        Run run = Run.plain(new byte[0], "--version");
        assertEquals(0, run.exitCode(), run::toString);
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.get(0).matches("kvern \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?"), run::toString);
        assertTrue(lines.get(1).contains(Runtime.version().toString()), run::toString);
        assertTrue(lines.get(2).matches("kernels (vector\\d+|scalar): .+"), run::toString);
        assertTrue(lines.get(3).matches("threads \\d+"), run::toString);
    }

    @Test
    void completionKnowsEveryVerb() {
        Run run = Run.plain(new byte[0], "completion", "zsh");
        assertEquals(0, run.exitCode(), run::toString);
        for (String word : List.of("generate", "tokenize", "logits", "inspect", "bench", "repack", "--top-k", "complete -F")) {
            assertTrue(run.out().contains(word), word);
        }
    }
}
