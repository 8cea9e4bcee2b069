package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--override` and `--reproducible`.
class MetadataChoiceTest {
    private static final String IDS = IntStream.range(0, 70).mapToObj(i -> String.valueOf(7 * i)).collect(Collectors.joining(","));

    @Test
    void theSameBitsForAnyMicroBatch(@TempDir Path folder) throws IOException {
        byte[] expected = logits(folder, "--reproducible");
        for (String batch : new String[] {"1", "7"})
            assertArrayEquals(expected, logits(folder, "--reproducible", "-ub", batch), "-ub " + batch);
    }

    @Test
    void anOverriddenKeyIsUsed(@TempDir Path folder) throws IOException {
        String plain = new String(logits(folder), StandardCharsets.ISO_8859_1);
        assertNotEquals(plain, new String(logits(folder, "--override", "llama4.rope.freq_base=7e3"), StandardCharsets.ISO_8859_1));
        Run run = Run.of("tokenize", "--bos", "--override", "tokenizer.ggml.add_bos_token=false", "--override", "some.new.key=int:5",
                "Once upon");
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals(Run.of("tokenize", "Once upon").out(), run.out());
        assertNotEquals(Run.of("tokenize", "--bos", "Once upon").out(), run.out());
    }

    @Test
    void whatDoesNotFitIsOneLine() {
        for (String[] wrong : new String[][] {{"llama4.context_length=long", "llama4.context_length", "UINT32", "long"},
                {"new.key=5", "new.key", "TYPE:VALUE", "5"},
                {"new.key=u8:5", "new.key", "int, float, bool and str", "u8"},
                {"tokenizer.ggml.tokens=x", "tokenizer.ggml.tokens", "arrays", "ARRAY of STRING"},
                {"split.count=2", "split.count", "layout", "cannot"}, {"key", "KEY=VALUE", "key", "override"}}) {
            for (String verb : new String[] {"generate", "tokenize", "logits"}) {
                Run run = verb.equals("logits") ? Run.of(verb, "--tokens", "1", "--override", wrong[0])
                        : Run.of(verb, "--override", wrong[0], "x");
                assertEquals(Failures.USAGE, run.exitCode(), run::toString);
                assertEquals(1, run.err().lines().count(), run::toString);
                for (int i = 1; i < wrong.length; i++) assertTrue(run.err().contains(wrong[i]), run::toString);
            }
        }
        Run heads = Run.of("generate", "--override", "llama4.attention.head_count=7", "x");
        assertEquals(Failures.MODEL, heads.exitCode(), heads::toString);
        assertTrue(heads.err().contains("llama4.attention.head_count"), heads::toString);
    }

    private static byte[] logits(Path folder, String... more) throws IOException {
        Path out = folder.resolve("logits.f32");
        String[] args = new String[more.length + 4];
        System.arraycopy(new String[] {"--tokens", IDS, "--out", out.toString()}, 0, args, 0, 4);
        System.arraycopy(more, 0, args, 4, more.length);
        Run run = Run.of("logits", args);
        assertEquals(0, run.exitCode(), run::toString);
        return Files.readAllBytes(out);
    }
}
