package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class TokenizeTest {
    /// In JSON, as `--lines` takes them: plain, with escapes, empty, beyond the basic plane, a line separator, a zero.
    private static final List<String> STRINGS = List.of("\"Once upon a time\"", "\"\"", "\"tab\\tand\\nline\"", "\"caf\\u00e9 é 中文\"",
            "\"\\ud83d\\ude00 😀\"", "\"\u2028\"", "\"\\u0000\"", " \"spaces around\" ", "\"<|end_of_text|>\"");

    @Test
    void showsIdsAndPieces() {
        Run run = Run.of("tokenize", "Once upon");
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals("  2548  \"Once\"\n   687  \" upon\"\n", run.out());
    }

    @Test
    void theTextComesFromAnyOfItsSources() {
        String expected = Run.of("tokenize", "Once upon\n").out();
        assertEquals(3, expected.lines().count());
        assertEquals(expected, Run.of("tokenize", "-p", "Once upon\n").out());
        assertEquals(expected, Run.piped("Once upon\n", "tokenize").out());
        assertEquals(expected, Run.piped("Once upon\n", "tokenize", "-f", "-").out());
    }

    @Test
    void addsTheBeginTokenOnlyWhenAsked() {
        assertEquals("  4091  \"<|begin_of_text|>\"\n    64  \"a\"\n", Run.of("tokenize", "--bos", "a").out());
        assertEquals("  64  \"a\"\n", Run.of("tokenize", "a").out());
    }

    @Test
    void specialTokensOnlyWhenAsked() {
        assertEquals("[4092]\n", Run.piped("\"<|end_of_text|>\"\n", "tokenize", "--lines", "--special").out());
        List<Object> plain = Json.list(Json.parse(Run.piped("\"<|end_of_text|>\"\n", "tokenize", "--lines").out()));
        assertTrue(plain.size() > 1 && !plain.contains(4092.0), plain::toString);
        assertEquals("", Run.of("tokenize", "--detokenize", "4092").out());
        assertEquals("<|end_of_text|>", Run.of("tokenize", "--detokenize", "--special", "4092").out());
    }

    @Test
    void linesGoThereAndBack() {
        Run ids = Run.piped(String.join("\n", STRINGS), "tokenize", "--lines");
        assertEquals(0, ids.exitCode(), ids::toString);
        assertEquals(STRINGS.size(), ids.out().lines().count());
        assertEquals("[]", ids.out().lines().toList().get(1));
        Run back = Run.piped(ids.out(), "tokenize", "--lines", "--detokenize");
        assertEquals(0, back.exitCode(), back::toString);
        List<Object> texts = new ArrayList<>();
        for (String line : back.out().split("\n")) texts.add(Json.parse(line));
        assertEquals(STRINGS.stream().map(Json::parse).toList(), texts);
    }

    @Test
    void randomTextsGoThereAndBack() {
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            texts.add(random.ints(20, 0, 0x3000).filter(c -> c < 0xD800).mapToObj(Character::toString).collect(Collectors.joining()));
        }
        String in = texts.stream().map(TokenizeTest::json).collect(Collectors.joining("\n", "", "\n"));
        Run back = Run.piped(Run.piped(in, "tokenize", "--lines").out(), "tokenize", "--lines", "--detokenize");
        List<Object> found = new ArrayList<>();
        for (String line : back.out().split("\n")) found.add(Json.parse(line));
        assertEquals(texts, found, "seed " + seed);
    }

    private static String json(String text) {
        return text.chars().mapToObj(c -> "\\u%04x".formatted(c)).collect(Collectors.joining("", "\"", "\""));
    }

    @Test
    void aWrongLineIsNamedAndTheOnesBeforeItAreAnswered() {
        for (String wrong : List.of("", "abc", "[1]", "\"a\" \"b\"", "\"open", "\"\\ud83d\"", "'a'", "null")) {
            Run run = Run.piped("\"a\"\n" + wrong + "\n\"b\"\n", "tokenize", "--lines");
            assertEquals(2, run.exitCode(), run::toString);
            assertEquals("[64]\n", run.out(), run::toString);
            assertTrue(run.err().startsWith("kvern: standard input, line 2: expected "), run::toString);
            assertEquals(1, run.err().lines().count(), run::toString);
        }
        for (String wrong : List.of("", "1", "[1", "[1.5]", "[-1]", "[1e2]", "[\"1\"]", "[[1]]", "[4096]", "[99999999999]", "[1] 2")) {
            Run run = Run.piped("[64]\n" + wrong + "\n", "tokenize", "--lines", "--detokenize");
            assertEquals(2, run.exitCode(), run::toString);
            assertEquals("\"a\"\n", run.out(), run::toString);
            assertTrue(run.err().startsWith("kvern: standard input, line 2"), run::toString);
            assertEquals(1, run.err().lines().count(), run::toString);
        }
    }

    @Test
    void idsToText() {
        assertEquals("Once upon", Run.of("tokenize", "--detokenize", "2548", "687").out());
        assertEquals("Once upon", Run.of("tokenize", "--detokenize", "2548,687").out());
        assertEquals("Once upon", Run.piped(" 2548 ,\n687\n", "tokenize", "--detokenize").out());
        assertEquals("", Run.piped("", "tokenize", "--detokenize").out());
        Run wrong = Run.of("tokenize", "--detokenize", "4096");
        assertEquals(2, wrong.exitCode(), wrong::toString);
        assertTrue(wrong.err().contains("4096") && wrong.err().contains("4095"), wrong::toString);
    }

    @Test
    void noTextIsNoTokens() {
        Run run = Run.of("tokenize", "");
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals("", run.out());
    }
}
