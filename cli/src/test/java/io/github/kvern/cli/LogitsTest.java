package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.Model;
import io.github.kvern.ModelOptions;
import io.github.kvern.Precision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogitsTest {
    private static final int VOCABULARY = 4096;
    private static final int[] IDS = {4091, 2548, 687, 258, 528};

    private static float[][] read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[][] rows = new float[bytes.capacity() / 4 / VOCABULARY][VOCABULARY];
        assertEquals(4 * VOCABULARY * rows.length, bytes.capacity());
        for (float[] row : rows) for (int i = 0; i < row.length; i++) row[i] = bytes.getFloat();
        return rows;
    }

    @Test
    void theFileHoldsWhatTheModelScores(@TempDir Path folder) throws IOException {
        Path out = folder.resolve("logits.f32");
        Path ids = Files.writeString(folder.resolve("ids.txt"), "4091, 2548\n687,258\t528\n");
        for (String precision : new String[] {"exact", "fast"}) {
            ModelOptions options = ModelOptions.defaults().precision(precision.equals("exact") ? Precision.EXACT : Precision.FAST);
            try (Model model = Model.load(Path.of(Run.MODEL), options)) {
                Run run = Run.of("logits", "--tokens", "4091,2548,687,258,528", "--precision", precision, "--out", out.toString());
                assertEquals(0, run.exitCode(), run::toString);
                assertEquals("", run.out() + run.err());
                assertArrayEquals(model.score(IDS, new int[] {0, 1, 2, 3, 4}), read(out));
                Run some = Run.of("logits", "--tokens", "@" + ids, "--positions", "1,4", "--precision", precision, "--out", out.toString());
                assertEquals(0, some.exitCode(), some::toString);
                assertArrayEquals(model.score(IDS, new int[] {1, 4}), read(out));
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(2, files.count(), "nothing else stays behind");
        }
    }

    @Test
    void theTextMayBeLongerThanTheModelsContext(@TempDir Path folder) throws IOException {
        Path out = folder.resolve("logits.f32");
        String ids = IntStream.range(0, 600).mapToObj(i -> String.valueOf(i % VOCABULARY)).collect(Collectors.joining(" "));
        Run run = Run.of("logits", "--tokens", ids, "--positions", "599", "--out", out.toString());
        assertEquals(0, run.exitCode(), run::toString);
        float[][] rows = read(out);
        assertEquals(1, rows.length);
        for (float logit : rows[0]) assertTrue(Float.isFinite(logit));
    }

    @Test
    void withoutAFileTheLikeliestTokensAreShown() {
        Run run = Run.of("logits", "--tokens", "4091 2548", "--positions", "1");
        assertEquals(0, run.exitCode(), run::toString);
        assertTrue(run.out().startsWith("1 2548 \"Once\":  687 \" upon\" "), run::toString);
        assertEquals(1, run.out().lines().count());
        assertEquals(6, run.out().split("  ").length, "the position and five tokens");
    }

    @Test
    void idsOutsideTheVocabularyLeaveNoFile(@TempDir Path folder) throws IOException {
        Run run = Run.of("logits", "--tokens", "1,4096", "--out", folder.resolve("x.f32").toString());
        assertEquals(2, run.exitCode(), run::toString);
        assertTrue(run.err().contains("4096"), run::toString);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }
}
