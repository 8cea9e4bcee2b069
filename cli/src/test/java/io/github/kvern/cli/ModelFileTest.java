package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.GgufWriter;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever is wrong with the model file is one clear line and exit code 3.
class ModelFileTest {
    private static final List<List<String>> VERBS = List.of(List.of("generate", "-n", "1", "x"), List.of("tokenize", "x"),
            List.of("logits", "--tokens", "1"), List.of("inspect"), List.of("bench", "-p", "1", "-n", "0", "-r", "1"));

    @TempDir
    private Path folder;

    private static void isRefused(Path file, List<List<String>> verbs, String... said) {
        for (List<String> verb : verbs) {
            String[] args = new String[verb.size() + 2];
            args[0] = verb.getFirst();
            args[1] = "-m";
            args[2] = file.toString();
            for (int i = 1; i < verb.size(); i++) args[i + 2] = verb.get(i);
            Run run = Run.plain(new byte[0], args);
            assertEquals(3, run.exitCode(), verb + ": " + run);
            assertEquals("", run.out());
            assertEquals(1, run.err().lines().count(), verb + ": " + run);
            assertTrue(run.err().startsWith("kvern: "), verb + ": " + run);
            for (String words : said) assertTrue(run.err().contains(words), verb + ": " + words + " in " + run);
        }
    }

    private static byte[] model() throws IOException {
        return Files.readAllBytes(Path.of(Run.MODEL));
    }

    @Test
    void missing() {
        isRefused(folder.resolve("none.gguf"), VERBS, "none.gguf: no such file");
    }

    @Test
    void aDirectory() {
        isRefused(folder, VERBS, folder.toString(), "found a directory");
    }

    @Test
    void empty() throws IOException {
        isRefused(Files.createFile(folder.resolve("empty.gguf")), VERBS, "empty.gguf");
    }

    @Test
    void text() throws IOException {
        isRefused(Files.writeString(folder.resolve("text.gguf"), "version https://example.org/large-file/v1\n".repeat(20)), VERBS,
                "text.gguf", "GGUF");
    }

    @Test
    void cutShortAnywhere() throws IOException {
        byte[] whole = model();
        for (int bytes : new int[] {4, 23, 1000, 100_000, whole.length / 2, whole.length - 1}) {
            isRefused(Files.write(folder.resolve("short.gguf"), Arrays.copyOf(whole, bytes)), VERBS, "short.gguf");
        }
    }

    @Test
    void anotherVersionOrByteOrder() throws IOException {
        byte[] changed = model();
        changed[4] = 9;
        isRefused(Files.write(folder.resolve("v9.gguf"), changed), VERBS, "v9.gguf", "9");
        changed[4] = 0;
        changed[7] = 3;
        isRefused(Files.write(folder.resolve("big.gguf"), changed), VERBS, "big.gguf", "big-endian");
    }

    @Test
    void anArchitectureThatIsNotKnown() throws IOException {
        try (GgufFile file = GgufFile.open(Path.of(Run.MODEL))) {
            Metadata other = file.metadata().with("general.architecture", MetadataValue.of(MetadataType.STRING, "mamba9"));
            GgufWriter writer = new GgufWriter(other);
            for (Tensor tensor : file.tensors()) writer.add(tensor.name(), tensor.type(), tensor.info().shape(), tensor.segment());
            Path path = writer.write(folder.resolve("mamba.gguf")).getFirst();
            isRefused(path, VERBS.stream().filter(verb -> !List.of("tokenize", "inspect").contains(verb.getFirst())).toList(), "mamba9",
                    "llama4");
            assertEquals(0, Run.plain(new byte[0], "inspect", path.toString()).exitCode());
            assertEquals(0, Run.plain(new byte[0], "tokenize", "-m", path.toString(), "x").exitCode(), "the vocabulary is fine");
        }
    }

    @Test
    void onlyAVocabulary() throws IOException {
        try (GgufFile file = GgufFile.open(Path.of(Run.MODEL))) {
            Path path = new GgufWriter(file.metadata()).write(folder.resolve("vocabulary.gguf")).getFirst();
            assertEquals("  2548  \"Once\"\n", Run.plain(new byte[0], "tokenize", "-m", path.toString(), "Once").out());
            isRefused(path, List.of(VERBS.getFirst()), "vocabulary.gguf", "token_embd.weight");
        }
    }

    @Test
    void aSplitWithAPartMissingOrSwapped() throws IOException {
        List<Path> parts;
        try (GgufFile file = GgufFile.open(Path.of(Run.MODEL))) {
            GgufWriter writer = new GgufWriter(file.metadata()).splitByTensors(30);
            for (Tensor tensor : file.tensors()) writer.add(tensor.name(), tensor.type(), tensor.info().shape(), tensor.segment());
            parts = writer.write(folder.resolve("split.gguf"));
        }
        assertEquals(3, parts.size());
        Run whole = Run.plain(new byte[0], "generate", "-m", parts.get(1).toString(), "--temp", "0", "-n", "5", "Once upon");
        assertEquals(Run.of("generate", "--temp", "0", "-n", "5", "Once upon").out(), whole.out(), whole::toString);
        Run inspected = Run.plain(new byte[0], "inspect", parts.get(2).toString());
        assertTrue(inspected.out().contains("parts (3)") && inspected.out().contains("split-00002-of-00003.gguf"), inspected::toString);
        Path aside = Files.move(parts.get(1), folder.resolve("aside"));
        isRefused(parts.get(0), VERBS, "split-00002-of-00003.gguf", "missing");
        Files.copy(parts.get(0), parts.get(1));
        isRefused(parts.get(0), VERBS, "split-00002-of-00003.gguf");
        assertFalse(Files.notExists(aside));
    }

    @Test
    void aMissingKeyIsNamed() throws IOException {
        try (GgufFile file = GgufFile.open(Path.of(Run.MODEL))) {
            for (String key : List.of("general.architecture", "llama4.block_count", "llama4.embedding_length",
                    "llama4.attention.head_count")) {
                Map<String, MetadataValue> values = new LinkedHashMap<>();
                for (String other : file.metadata().keys())
                    if (!other.equals(key)) values.put(other, file.metadata().find(other).orElseThrow());
                GgufWriter writer = new GgufWriter(Metadata.of(values));
                for (Tensor tensor : file.tensors()) writer.add(tensor.name(), tensor.type(), tensor.info().shape(), tensor.segment());
                isRefused(writer.write(folder.resolve("less.gguf")).getFirst(), List.of(VERBS.getFirst()), "less.gguf", key);
            }
        }
    }

    /// One tensor changed in turn: taken out, under another name, twice as one of another name, of another shape, of another type.
    @Test
    void aTensorThatTheFamilyDoesNotExpectIsNamed() throws IOException {
        String name = "blk.0.attn_output.weight", norm = "blk.0.attn_norm.weight", more = "blk.0.attn_more.weight";
        try (GgufFile file = GgufFile.open(Path.of(Run.MODEL))) {
            List<Long> shape = file.require(name).info().shape();
            List<Long> half = List.of(shape.get(0), shape.get(1) / 2);
            refusedWith(file, name, (w, t) -> {
            }, name);
            refusedWith(file, name, (w, t) -> w.add(more, t.type(), shape, t.segment()), name);
            refusedWith(file, name, (w, t) -> w.add(name, t.type(), shape, t.segment()).add(more, t.type(), shape, t.segment()), more);
            refusedWith(file, name, (w, t) -> w.add(name, t.type(), half, t.segment().asSlice(0, t.segment().byteSize() / 2)), name,
                    shape.toString(), half.toString());
            refusedWith(file, norm, (w, t) -> w.add(norm, TensorType.I32, t.info().shape(), t.segment()), norm, "I32");
        }
    }

    private void refusedWith(GgufFile file, String name, BiConsumer<GgufWriter, Tensor> instead, String... said) throws IOException {
        GgufWriter writer = new GgufWriter(file.metadata());
        for (Tensor tensor : file.tensors()) {
            if (tensor.name().equals(name)) instead.accept(writer, tensor);
            else writer.add(tensor.name(), tensor.type(), tensor.info().shape(), tensor.segment());
        }
        Path path = writer.write(folder.resolve("changed.gguf")).getFirst();
        isRefused(path, List.of(VERBS.get(0), VERBS.get(2)), "changed.gguf");
        isRefused(path, List.of(VERBS.get(0), VERBS.get(2)), said);
    }
}
