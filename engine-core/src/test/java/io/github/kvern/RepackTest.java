package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.GgufWriter;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kernels.Kernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Packed files: the same bits as packed in memory, refused when they are stale or make no sense.
class RepackTest {
    private static final ModelOptions PACKED = ModelOptions.defaults().threads(2).weights(WeightStorage.PACKED);
    private static final Repack.Listener NOBODY = fraction -> {
    };

    @TempDir
    private Path folder;

    @BeforeAll
    static void vectors() {
        Assumptions.assumeTrue(!Kernels.best().name().equals("scalar"), "scalar kernels pack nothing: not checked");
    }

    static Stream<Fixture> models() {
        return Architectures.names().stream().flatMap(a -> Fixture.of(a).stream());
    }

    private static Fixture fixture(String model, String type) {
        return models().filter(f -> f.model().equals(model) && f.type().equals(type)).findFirst().orElseThrow();
    }

    private static float[][] score(Path path, Fixture f) throws IOException {
        try (Model model = Model.load(path, PACKED)) {
            return model.score(f.tokens(), f.positions());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void theSameBitsAsPackedInMemory(Fixture f) throws IOException {
        theSameBits(f, PACKED);
    }

    /// One file of every model: what is not packed is computed in another way.
    @ParameterizedTest(name = "{0}")
    @MethodSource("ones")
    void theSameBitsWhenReproducible(Fixture f) throws IOException {
        theSameBits(f, PACKED.reproducible(true));
    }

    static Stream<Fixture> ones() {
        Set<String> seen = new HashSet<>();
        return models().filter(f -> seen.add(f.model()));
    }

    private void theSameBits(Fixture f, ModelOptions options) throws IOException {
        Path out = folder.resolve("out.gguf");
        try (Model memory = Model.load(f.path(), options)) {
            if (memory.info().weights().kind() == WeightsInfo.Kind.MAPPED) {
                String message = assertThrows(UnsupportedModelException.class, () -> Repack.write(f.path(), out, 2, NOBODY)).getMessage();
                assertTrue(message.contains("nothing to pack"), message);
                assertFalse(Files.exists(out));
                return;
            }
            Repack.write(f.path(), out, 2, NOBODY);
            try (Model file = Model.load(out, options)) {
                assertEquals(WeightsInfo.Kind.PACKED_FILE, file.info().weights().kind());
                assertEquals(0, file.info().weights().packedBytes());
                assertEquals(memory.info().parameters(), file.info().parameters());
                float[][] expected = memory.score(f.tokens(), f.positions()), found = file.score(f.tokens(), f.positions());
                for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], found[i], "row " + i);
            }
        }
    }

    /// Queries, keys and values in one tensor, which are cut where a panel ends and where none does: packed as a whole or not at all, in
    /// a file as in memory.
    @ParameterizedTest
    @ValueSource(ints = {32, 16})
    void mergedTensors(int keys) throws IOException {
        ModelSheet sheet = TinyModels.all().getFirst();
        byte[] bytes = sheet.tensors().get("blk.0.attn_output.weight").bytes(); // 32 rows of Q8_0
        for (String part : List.of("q", "k", "v")) sheet = sheet.withoutTensor("blk.0.attn_" + part + ".weight");
        ByteBuffer merged = ByteBuffer.allocate(bytes.length / 32 * (32 + 2 * keys));
        merged.put(bytes).put(bytes, 0, bytes.length / 32 * keys).put(bytes, 0, bytes.length / 32 * keys);
        Path source = sheet.withInt("llama.attention.head_count_kv", keys / 8)
                .withTensor("blk.0.attn_qkv.weight", new ModelSheet.Item(TensorType.Q8_0, List.of(32L, 32L + 2 * keys), merged.array()))
                .write(folder.resolve("merged.gguf"));
        Path out = folder.resolve("out.gguf");
        Repack.write(source, out, 2, NOBODY);
        int[] text = {1, 2, 3, 4, 5, 6, 7}, positions = {0, 3, 6};
        try (Model memory = Model.load(source, PACKED); Model file = Model.load(out, PACKED)) {
            float[][] expected = memory.score(text, positions), found = file.score(text, positions);
            for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], found[i], "row " + i);
        }
        try (GgufFile file = GgufFile.open(out)) {
            assertEquals(keys == 32, file.packed().orElseThrow().entries().containsKey("blk.0.attn_qkv.weight"));
        }
    }

    /// Named by its source, carrying its identity; the same bytes from one thread and from three, from one file and from parts.
    @Test
    void oneResultWhateverTheWay() throws IOException {
        Fixture f = fixture("llama-tied", "Q4_K_M");
        Path one = folder.resolve("one.gguf"), three = folder.resolve("three.gguf");
        Repack.write(f.path(), one, 1, NOBODY);
        Repack.write(f.path(), three, 3, NOBODY);
        assertEquals(-1, Files.mismatch(one, three));
        try (GgufFile source = GgufFile.open(f.path()); GgufFile file = GgufFile.open(one)) {
            PackedTensors packed = file.packed().orElseThrow();
            assertEquals(source.identity(), packed.source());
            assertEquals(f.path().getFileName().toString(), packed.file());
            assertTrue(packed.entries().containsKey("token_embd.weight"), "a tied embedding is the output too");
            assertFalse(file.find("token_embd.weight").isPresent());
        }
        ModelSheet sheet = ModelSheet.read(f.path());
        GgufWriter parts = new GgufWriter(sheet.metadata()).splitByTensors(5);
        sheet.tensors().forEach((name, t) -> parts.add(name, t.type(), t.shape(), MemorySegment.ofArray(t.bytes())));
        List<Path> written = parts.write(folder.resolve("parts.gguf"));
        assertTrue(written.size() > 2);
        Path joined = folder.resolve("joined.gguf");
        Repack.write(written.get(1), joined, 2, NOBODY);
        float[][] expected = score(one, f), found = score(joined, f);
        for (int i = 0; i < expected.length; i++) assertArrayEquals(expected[i], found[i]);
    }

    @Test
    void isForFastProducts() throws IOException {
        Fixture f = fixture("llama-untied", "Q8_0");
        Path out = folder.resolve("out.gguf");
        Repack.write(f.path(), out, 2, NOBODY);
        ModelOptions exact = PACKED.precision(Precision.EXACT);
        String message = assertThrows(UnsupportedModelException.class, () -> Model.load(out, exact)).getMessage();
        assertTrue(message.contains(out.toString()) && message.contains(f.path().getFileName().toString()), message);
        for (WeightStorage weights : WeightStorage.values()) Model.load(out, PACKED.weights(weights)).close();
    }

    @Test
    void staleWhenTheSourceBesideItChanged() throws IOException {
        Fixture f = fixture("llama-untied", "Q8_0");
        Path source = Files.copy(f.path(), folder.resolve("model.gguf")), out = folder.resolve("packed.gguf");
        Repack.write(source, out, 2, NOBODY);
        Model.load(out, PACKED).close();
        ModelSheet.read(f.path()).with("general.name", MetadataType.STRING, "another").write(source);
        String message = assertThrows(ModelFormatException.class, () -> Model.load(out, PACKED)).getMessage();
        for (String part : List.of(out.toString(), source.toString(), "stale", "kvern repack --force " + source + " " + out))
            assertTrue(message.contains(part), message);
        Repack.write(source, out, 2, NOBODY);
        Model.load(out, PACKED).close();
        Files.delete(source);
        Model.load(out, PACKED).close();
        Files.writeString(source, "no model at all");
        Model.load(out, PACKED).close();
        Files.move(out, source, StandardCopyOption.REPLACE_EXISTING);
        Model.load(source, PACKED).close();
    }

    @Test
    void whatContradictsItselfIsRefused() throws IOException {
        Fixture f = fixture("llama-untied", "Q8_0");
        Path out = folder.resolve("out.gguf"), bad = folder.resolve("bad.gguf");
        Repack.write(f.path(), out, 2, NOBODY);
        ModelSheet good = ModelSheet.read(out);
        good.write(bad);
        Model.load(bad, PACKED).close();
        String key = "kvern.packed.";
        List<String> names = good.metadata().requireStrings(key + "tensors"), formats = good.metadata().requireStrings(key + "formats");
        String name = names.getFirst(), stored = PackedTensors.PREFIX + name;
        ModelSheet.Item item = good.tensors().get(stored);
        int[] types = good.metadata().findInts(key + "types").orElseThrow(),
                shapes = good.metadata().findInts(key + "shapes").orElseThrow();

        refused(good.with(key + "version", MetadataType.UINT32, 2), UnsupportedModelException.class, "version 2", "kvern repack");
        refused(good.with(key + "formats", MetadataType.ARRAY, MetadataArray.ofStrings(changed(formats, "0123456789abcdef"))),
                UnsupportedModelException.class, "stale", name, "kvern repack");
        refused(good.with(key + "file", MetadataType.STRING, "../x.gguf"), ModelFormatException.class, "name of a file");
        refused(good.with(key + "tensors", MetadataType.ARRAY, MetadataArray.ofStrings(names.subList(1, names.size()))),
                ModelFormatException.class, "formats");
        refused(good.with(key + "tensors", MetadataType.ARRAY, MetadataArray.ofStrings(changed(names, names.get(1)))),
                ModelFormatException.class, "twice");
        refused(good.with(key + "tensors", MetadataType.ARRAY, MetadataArray.ofStrings(changed(names, "none"))),
                ModelFormatException.class, "none");
        for (int type : new int[] {0, 12, 24, 77, -1}) // F32, Q4_K, I8 and what is no type
            refused(good.with(key + "types", MetadataType.ARRAY, MetadataArray.ofInts(changed(types, 0, type))), KvernException.class,
                    name);
        for (int extent : new int[] {0, -1, 1, Integer.MAX_VALUE, shapes[0] + 32})
            for (int i = 0; i < 3; i++)
                if (extent != shapes[i])
                    refused(good.with(key + "shapes", MetadataType.ARRAY, MetadataArray.ofInts(changed(shapes, i, extent))),
                            ModelFormatException.class, name);
        refused(good.withoutTensor(stored), ModelFormatException.class, name);
        refused(good.withTensor(stored, new ModelSheet.Item(TensorType.I8, List.of(item.bytes().length - 64L),
                Arrays.copyOf(item.bytes(), item.bytes().length - 64))), ModelFormatException.class, name, "bytes");
        refused(good.withTensor(stored, item.as(TensorType.I16, List.of(64L))), ModelFormatException.class, name, "I8");
        refused(good.withTensor(name, item.as(TensorType.F32, List.of(32L))), ModelFormatException.class, name);
        refused(good.without(key + "version"), KvernException.class, "tensor");
    }

    private void refused(ModelSheet sheet, Class<? extends KvernException> kind, String... parts) throws IOException {
        Path bad = sheet.write(folder.resolve("bad.gguf"));
        String message = assertThrows(kind, () -> Model.load(bad, PACKED).close()).getMessage();
        for (String part : parts) assertTrue(message.contains(part) && message.contains("bad.gguf"), part + " in: " + message);
    }

    private static List<String> changed(List<String> list, String first) {
        List<String> changed = new ArrayList<>(list);
        changed.set(0, first);
        return changed;
    }

    private static int[] changed(int[] array, int at, int value) {
        int[] changed = array.clone();
        changed[at] = value;
        return changed;
    }

    /// The packed arithmetic would make numbers of what is none.
    @Test
    void scalesThatAreNoNumbersStay() throws IOException {
        ModelSheet sheet = ModelSheet.read(fixture("llama-untied", "Q8_0").path());
        ModelSheet.Item item = sheet.tensors().get("blk.0.attn_q.weight");
        byte[] bytes = item.bytes().clone();
        bytes[1] = 0x7c; // with a zero in front: infinity
        bytes[0] = 0;
        Path source = sheet.withTensor("blk.0.attn_q.weight", new ModelSheet.Item(item.type(), item.shape(), bytes))
                .write(folder.resolve("infinite.gguf"));
        Path out = folder.resolve("out.gguf");
        Repack.write(source, out, 2, NOBODY);
        try (GgufFile file = GgufFile.open(out)) {
            Set<String> packed = new HashSet<>(file.packed().orElseThrow().entries().keySet());
            assertFalse(packed.contains("blk.0.attn_q.weight"));
            assertTrue(packed.contains("blk.0.attn_k.weight"));
            assertEquals(-1, file.require("blk.0.attn_q.weight").segment().mismatch(MemorySegment.ofArray(bytes)));
        }
    }

    @Test
    void leavesNothingBehindWhenItIsEnded() throws IOException {
        Path source = Files.copy(Shipped.path(), folder.resolve("model.gguf")), out = folder.resolve("out.gguf");
        List<Path> temporary = new ArrayList<>();
        assertThrows(IllegalCallerException.class, () -> Repack.write(source, out, 2, new Repack.Listener() {
            @Override
            public void written(double fraction) {
                assertTrue(Files.exists(temporary.getFirst()));
                if (fraction > 0.5) throw new IllegalCallerException();
            }

            @Override
            public void temporary(Path path) {
                temporary.add(path);
            }
        }));
        assertEquals(1, temporary.size());
        assertThrows(IllegalArgumentException.class, () -> Repack.write(source, source, 2, NOBODY));
        assertThrows(IOException.class, () -> Repack.write(source, folder.resolve("none/out.gguf"), 2, NOBODY));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(source), files.toList());
        }
        List<Double> told = new ArrayList<>();
        Repack.write(source, out, 2, told::add);
        assertEquals(told.stream().sorted().toList(), told);
        assertEquals(1, told.getLast());
        assertThrows(UnsupportedModelException.class, () -> Repack.write(out, folder.resolve("again.gguf"), 2, NOBODY));
    }
}
