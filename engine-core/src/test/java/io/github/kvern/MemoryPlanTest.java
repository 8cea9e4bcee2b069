package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.MemoryPlan.Verdict;
import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.layer.Pass;
import io.github.kvern.engine.layer.Step;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Layout;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Workers;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.kvcache.Sequence;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A plan says what loading and computing then take.
class MemoryPlanTest {
    private static final MemoryPlan.Machine LARGE = new MemoryPlan.Machine(1L << 40, OptionalLong.empty(), OptionalLong.empty(), 1L << 40,
            1L << 40, OptionalLong.empty());

    static Stream<Fixture> fixtures() {
        return Stream.of("llama", "llama4", "deepseek2", "gpt-oss", "gemma3", "qwen3moe").map(Fixture::of).flatMap(Collection::stream)
                .filter(f -> List.of("Q8_0", "Q4_K_M", "MXFP4").contains(f.type()));
    }

    private static void assertClose(long counted, long planned, String what) {
        assertTrue(Math.abs(counted - planned) <= 0.02 * counted, what + ": counted " + counted + ", planned " + planned);
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void whatIsPlannedIsWhatIsTaken(Fixture f) throws IOException {
        for (WeightStorage storage : List.of(WeightStorage.MAPPED, WeightStorage.PACKED)) {
            ModelOptions options = ModelOptions.defaults().threads(2).microBatch(100).weights(storage);
            int context = 300;
            MemoryPlan plan = MemoryPlan.of(f.path(), options, GeneratorOptions.context(context), LARGE, 0);
            LoadSteps steps = new LoadSteps(fraction -> {
            });
            String where = f + " " + storage + ": ";
            try (GgufFile file = GgufFile.open(f.path());
                    LoadedWeights loaded = LoadedWeights.load(file, Kernels.best(), options, new MemoryLimits(1L << 40, 1L << 40), steps)) {
                assertEquals(loaded.info().kind(), plan.weights().info().kind(), where);
                assertEquals(loaded.info().packedBytes(), plan.weights().packedBytes(), where + "packed");
                long mapped = 0, packed = 0, own = 0;
                for (Matrix m : loaded.weights().matrices()) {
                    long bytes = m.memory().stream().mapToLong(MemorySegment::byteSize).sum();
                    if (m.layout() == Layout.PACKED) packed += bytes;
                    else if (m.segment().isMapped()) mapped += bytes;
                    else own += bytes;
                }
                long vectors = loaded.weights().heapBytes();
                assertEquals(packed, plan.weights().packedBytes(), where + "packed");
                assertEquals(own, plan.weights().ownBytes(), where + "made of weights");
                assertEquals(vectors, plan.weights().heapBytes(), where + "vectors");
                long headers = file.bytes() - file.tensors().stream().mapToLong(t -> t.info().bytes()).sum();
                assertClose(mapped + vectors + turnedRows(file, own) + headers, plan.weights().mappedBytes(), where + "mapped");
                assertEquals(file.bytes(), plan.weights().fileBytes());
                computeAndCompare(file, loaded, plan, context, options.microBatch(), where);
            }
        }
    }

    /// Rows of keys that were made a matrix of their own: read from the mapping while the model is loaded.
    private static long turnedRows(GgufFile file, long own) {
        Optional<Tensor> both = file.tensors().stream().filter(t -> t.name().endsWith("attn_kv_b.weight")).findFirst();
        return both.map(t -> t.type().rowBytes(own / 4)).orElse(0L);
    }

    /// Steps with real workers, pages and weights, as a prompt and an answer make them.
    private static void computeAndCompare(GgufFile file, LoadedWeights loaded, MemoryPlan plan, int context, int microBatch, String where) {
        try (PagePool pool = new PagePool(loaded.decoder().cacheGroups(), 1L << 32);
                Workers workers = new Workers(2);
                Sequence sequence = pool.sequence()) {
            Pass pass = new Pass(loaded.kernels(), workers, pool, loaded.decoder().width(), file);
            Step step = new Step();
            float[] logits = new float[loaded.decoder().vocabulary()];
            long most = 0;
            for (int at = 0, n; at < context; at += n) {
                n = Math.min(microBatch, context - at);
                sequence.reserve(n);
                step.clear();
                for (int i = 0; i < n; i++) step.add((at + i) % logits.length, sequence, at + i, i == n - 1);
                assertTrue(loaded.decoder().forward(pass, step));
                loaded.decoder().logits(pass, 0, 1, logits);
                most = Math.max(most, pool.usedBytes());
                sequence.advance(n);
            }
            sequence.reserve(1);
            step.clear();
            step.add(0, sequence, context, true);
            assertTrue(loaded.decoder().forward(pass, step));
            loaded.decoder().logits(pass, 0, 1, logits);
            assertClose(most, plan.cacheBytes(), where + "cache");
            assertEquals(pass.heapBytes() + 4L * logits.length, plan.buffers().heapBytes(), where + "buffers");
        }
    }

    @Test
    void aPackedFileIsMappedAsItIs(@TempDir Path folder) throws IOException {
        Assumptions.assumeTrue(!Kernels.best().name().equals("scalar"), "scalar kernels pack nothing: not checked");
        for (String architecture : List.of("llama", "deepseek2")) {
            Path source = Fixture.of(architecture).stream().filter(f -> f.type().equals("Q8_0")).findFirst().orElseThrow().path();
            Path path = folder.resolve(architecture + ".gguf");
            Repack.write(source, path, 2, fraction -> {
            });
            MemoryPlan plan = MemoryPlan.of(path, ModelOptions.defaults(), GeneratorOptions.context(100), LARGE, 0);
            assertEquals(WeightsInfo.Kind.PACKED_FILE, plan.weights().info().kind());
            assertEquals(0, plan.weights().packedBytes());
            MemoryPlan packed = MemoryPlan.of(source, ModelOptions.defaults().weights(WeightStorage.PACKED), GeneratorOptions.context(100),
                    LARGE, 0);
            assertEquals(packed.weights().mappedBytes() - packed.weights().headerBytes() + packed.weights().packedBytes(),
                    plan.weights().mappedBytes() - plan.weights().headerBytes());
            assertEquals(packed.weights().activeBytes(), plan.weights().activeBytes());
            assertEquals(packed.buffers(), plan.buffers());
        }
    }

    @Test
    void theLongestContextIsPlannedToo() throws IOException {
        Path path = Fixture.of("llama").getFirst().path();
        MemoryPlan plan = MemoryPlan.of(path, ModelOptions.defaults(), GeneratorOptions.context(1 << 24), machine(1L << 30), 0);
        assertEquals(Verdict.DOES_NOT_FIT, plan.verdict());
        GeneratorOptions longer = GeneratorOptions.context((1 << 24) + 1);
        assertThrows(IllegalArgumentException.class, () -> MemoryPlan.of(path, ModelOptions.defaults(), longer, LARGE, 0));
    }

    @Test
    void aLargeMicroBatchIsPlannedToo() throws IOException {
        for (String architecture : List.of("llama", "deepseek2", "llama4")) {
            Fixture f = Fixture.of(architecture).getFirst();
            ModelOptions options = ModelOptions.defaults().threads(2).microBatch(700).weights(WeightStorage.MAPPED);
            int context = 1500; // steps of 700, 700, 100 and 1
            MemoryPlan plan = MemoryPlan.of(f.path(), options, GeneratorOptions.context(context), LARGE, 0);
            try (GgufFile file = GgufFile.open(f.path());
                    LoadedWeights loaded = LoadedWeights.load(file, Kernels.best(), options, new MemoryLimits(1L << 40, 1L << 40),
                            new LoadSteps(fraction -> {
                            }))) {
                computeAndCompare(file, loaded, plan, context, options.microBatch(), f + ": ");
            }
        }
    }

    @Test
    void aPlanTakesNoneOfTheMemoryThatItPlans() throws IOException {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (String architecture : List.of("llama", "deepseek2", "gpt-oss")) {
            Path path = Fixture.of(architecture).getFirst().path();
            ModelOptions options = ModelOptions.defaults().microBatch(65_536);
            long before = threads.getCurrentThreadAllocatedBytes();
            MemoryPlan plan = MemoryPlan.of(path, options, GeneratorOptions.context(1 << 20), LARGE, 0);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before, planned = plan.buffers().heapBytes();
            assertTrue(allocated < planned / 3, architecture + ": allocated " + allocated + ", planned " + planned);
        }
    }

    @Test
    void aTokenReadsItsShareOfTheExpertsAndARowOfTheEmbedding() throws IOException {
        for (Fixture f : Stream.of("llama4", "deepseek2").map(Fixture::of).flatMap(Collection::stream).toList()) {
            MemoryPlan plan = MemoryPlan.of(f.path(), ModelOptions.defaults().weights(WeightStorage.MAPPED), GeneratorOptions.defaults(),
                    LARGE, 0);
            try (GgufFile file = GgufFile.open(f.path())) {
                int experts = file.metadata().requireInt(plan.architecture() + ".expert_count");
                int used = file.metadata().requireInt(plan.architecture() + ".expert_used_count");
                long routed = 0, embedding = 0;
                for (Tensor t : file.tensors()) {
                    if (t.name().contains("_exps.")) routed += t.info().bytes() * used / experts;
                    if (t.name().equals("token_embd.weight")) embedding = t.type().rowBytes(t.info().extent(0));
                }
                assertEquals(routed, active(plan, MemoryPlan.Part.ROUTED_EXPERTS), f.toString());
                if (file.find("output.weight").isPresent()) assertEquals(embedding, active(plan, MemoryPlan.Part.EMBEDDING), f.toString());
                assertTrue(active(plan, MemoryPlan.Part.SHARED_EXPERTS) > 0);
                assertEquals(file.tensors().size(), plan.weights().shares().stream().mapToInt(MemoryPlan.Share::tensors).sum());
                assertEquals(2 * plan.tokensPerSecond(1e9, false), plan.tokensPerSecond(2e9, false), 1e-9);
                assertTrue(plan.tokensPerSecond(1e9, true) < plan.tokensPerSecond(1e9, false));
                assertEquals(1e9 / plan.weights().activeBytes(), plan.tokensPerSecond(1e9, false), 1e-9);
            }
        }
    }

    private static long active(MemoryPlan plan, MemoryPlan.Part part) {
        return plan.weights().shares().stream().filter(s -> s.part() == part).mapToLong(MemoryPlan.Share::activeBytes).sum();
    }

    @Test
    void aTiedEmbeddingIsReadAsAWhole() throws IOException {
        Fixture f = Fixture.of("llama").stream().filter(x -> x.model().equals("llama-tied")).findFirst().orElseThrow();
        MemoryPlan plan = MemoryPlan.of(f.path(), ModelOptions.defaults().weights(WeightStorage.MAPPED), GeneratorOptions.defaults(),
                LARGE, 0);
        MemoryPlan.Share share = plan.weights().shares().stream().filter(s -> s.part() == MemoryPlan.Part.EMBEDDING).findFirst()
                .orElseThrow();
        assertEquals(share.fileBytes(), share.activeBytes());
    }

    private static MemoryPlan.Machine machine(long memory) {
        return new MemoryPlan.Machine(memory, OptionalLong.empty(), OptionalLong.empty(), 1L << 40, 1L << 40, OptionalLong.empty());
    }

    @Test
    void theVerdictTurnsWhereTheSizesSay() throws IOException {
        Path path = Fixture.of("llama4").getFirst().path();
        ModelOptions options = ModelOptions.defaults().weights(WeightStorage.MAPPED).kv(KvType.F32);
        GeneratorOptions size = GeneratorOptions.context(20_000);
        MemoryPlan plan = MemoryPlan.of(path, options, size, LARGE, 0);
        assertEquals(Verdict.FITS, plan.verdict(), plan.reason());
        assertEquals(List.of(), plan.remedies());
        assertEquals(0, plan.pagedBytes());
        // the cache may take half of the memory: here it takes far less
        MemoryPlan full = MemoryPlan.of(path, options, size, machine(plan.bytes()), 0);
        assertEquals(Verdict.FITS, full.verdict(), full.reason());
        MemoryPlan short1 = MemoryPlan.of(path, options, size, machine(plan.bytes() - 1), 0);
        assertEquals(Verdict.FITS_WITH_PAGING, short1.verdict(), short1.reason());
        assertEquals(1, short1.pagedBytes());
        MemoryPlan held = MemoryPlan.of(path, options, size, machine(plan.heldBytes() + MemoryPlan.JVM_BYTES), 0);
        assertEquals(Verdict.FITS_WITH_PAGING, held.verdict(), held.reason());
        assertEquals(plan.weights().mappedBytes(), held.pagedBytes());
        MemoryPlan none = MemoryPlan.of(path, options, size, machine(plan.heldBytes() + MemoryPlan.JVM_BYTES - 1), 0);
        assertEquals(Verdict.DOES_NOT_FIT, none.verdict(), none.reason());
        for (MemoryPlan worse : List.of(short1, held, none)) assertRemediesHelp(path, worse, size);
    }

    private static void assertRemediesHelp(Path path, MemoryPlan plan, GeneratorOptions size) throws IOException {
        assertRemediesHelp(path, plan, size, 0);
    }

    private static void assertRemediesHelp(Path path, MemoryPlan plan, GeneratorOptions size, long pinned) throws IOException {
        assertFalse(plan.remedies().isEmpty(), plan.reason());
        for (MemoryPlan.Remedy remedy : plan.remedies()) {
            ModelOptions options = plan.options();
            GeneratorOptions context = size;
            long locked = pinned;
            String[] words = remedy.option().split(" ");
            for (int i = 0; i < words.length; i += 2) {
                switch (words[i]) {
                    case "-c" -> context = GeneratorOptions.context(Integer.parseInt(words[i + 1]));
                    case "-ub" -> options = options.microBatch(Integer.parseInt(words[i + 1]));
                    case "--kv" -> options = options.kv(KvType.F16);
                    case "--weights" -> options = options.weights(WeightStorage.MAPPED);
                    case "--load" -> options = options.loadMode(LoadMode.MMAP);
                    case "--pin-experts" -> locked = Long.parseLong(words[i + 1]);
                    default -> throw new AssertionError(remedy.option());
                }
            }
            MemoryPlan with = MemoryPlan.of(path, options, context, plan.machine(), locked);
            assertEquals(remedy.verdict(), with.verdict(), remedy + ": " + with.reason());
            assertTrue(with.verdict().compareTo(plan.verdict()) < 0, remedy.toString());
        }
    }

    @Test
    void whatLoadingRefusesDoesNotFit() throws IOException {
        Path path = Fixture.of("llama").stream().filter(f -> f.type().equals("Q8_0")).findFirst().orElseThrow().path();
        ModelOptions packed = ModelOptions.defaults().weights(WeightStorage.PACKED);
        MemoryPlan.Machine little = new MemoryPlan.Machine(1L << 40, OptionalLong.empty(), OptionalLong.empty(), 100_000, 1L << 40,
                OptionalLong.empty());
        MemoryPlan plan = MemoryPlan.of(path, packed, GeneratorOptions.context(64), little, 0);
        if (plan.weights().packedBytes() > 0) { // not with scalar kernels
            assertEquals(Verdict.DOES_NOT_FIT, plan.verdict(), plan.reason());
            assertTrue(plan.reason().contains("--weights mapped"), plan.reason());
            assertRemediesHelp(path, plan, GeneratorOptions.context(64));
        }
        MemoryPlan.Machine heap = new MemoryPlan.Machine(1L << 40, OptionalLong.empty(), OptionalLong.empty(), 1L << 40, 200_000,
                OptionalLong.empty());
        MemoryPlan large = MemoryPlan.of(path, ModelOptions.defaults().weights(WeightStorage.MAPPED), GeneratorOptions.context(1000), heap,
                0);
        assertEquals(Verdict.DOES_NOT_FIT, large.verdict(), large.reason());
        assertTrue(large.reason().contains("-Xmx"), large.reason());
    }

    private static MemoryPlan.Machine locking(long memory, long lockable) {
        return new MemoryPlan.Machine(memory, OptionalLong.empty(), OptionalLong.empty(), 1L << 40, 1L << 40, OptionalLong.of(lockable));
    }

    @Test
    void allThatLoadingLocksIsPlanned() throws IOException {
        GeneratorOptions size = GeneratorOptions.context(64);
        for (Fixture f : Stream.of("llama4", "deepseek2", "llama").map(Fixture::of).flatMap(Collection::stream).toList()) {
            for (WeightStorage storage : List.of(WeightStorage.MAPPED, WeightStorage.PACKED)) {
                ModelOptions options = ModelOptions.defaults().threads(2).weights(storage).loadMode(LoadMode.LOCK);
                MemoryPlan plan = MemoryPlan.of(f.path(), options, size, LARGE, 0);
                long locked;
                try (GgufFile file = GgufFile.open(f.path());
                        LoadedWeights loaded = LoadedWeights.load(file, Kernels.best(), options, new MemoryLimits(1L << 40, 1L << 40),
                                new LoadSteps(fraction -> {
                                }))) {
                    locked = WeightPages.memory(loaded).stream().mapToLong(MemorySegment::byteSize).sum();
                }
                assertEquals(locked, plan.lockedBytes(), f + " " + storage);
                assertEquals(Verdict.FITS, MemoryPlan.of(f.path(), options, size, locking(1L << 40, locked), 0).verdict());
                MemoryPlan over = MemoryPlan.of(f.path(), options, size, locking(1L << 40, locked - 1), 0);
                assertEquals(Verdict.DOES_NOT_FIT, over.verdict());
                assertTrue(over.reason().contains("RLIMIT_MEMLOCK"), over.reason());
                assertRemediesHelp(f.path(), over, size);
                MemoryPlan unlocked = MemoryPlan.of(f.path(), options.loadMode(LoadMode.MMAP), size, locking(1L << 40, 1), 0);
                assertEquals(0, unlocked.lockedBytes());
                assertEquals(plan.bytes(), unlocked.bytes(), "locked bytes count once");
                assertEquals(plan.heldBytes() - unlocked.heldBytes(), plan.lockedMappedBytes());
            }
        }
    }

    @Test
    void lockedExpertsArePlanned() throws IOException {
        Path path = Fixture.of("llama4").stream().filter(f -> f.type().equals("Q8_0")).findFirst().orElseThrow().path();
        ModelOptions options = ModelOptions.defaults().weights(WeightStorage.MAPPED);
        GeneratorOptions size = GeneratorOptions.context(64);
        MemoryPlan plan = MemoryPlan.of(path, options, size, LARGE, 0);
        long routed = plan.weights().shares().stream().filter(s -> s.part() == MemoryPlan.Part.ROUTED_EXPERTS)
                .mapToLong(MemoryPlan.Share::fileBytes).sum();
        assertEquals(routed, MemoryPlan.of(path, options, size, LARGE, Long.MAX_VALUE).lockedBytes());
        MemoryPlan some = MemoryPlan.of(path, options, size, locking(1L << 40, 1000), 1000);
        assertEquals(1000, some.lockedBytes());
        assertEquals(Verdict.FITS, some.verdict(), some.reason());
        MemoryPlan tooMany = MemoryPlan.of(path, options, size, locking(1L << 40, 999), 1000);
        assertEquals(Verdict.DOES_NOT_FIT, tooMany.verdict(), tooMany.reason());
        assertRemediesHelp(path, tooMany, size, 1000);
        // locked pages cannot make room: what would be paged does not fit
        MemoryPlan.Machine tight = machine(plan.heldBytes() + MemoryPlan.JVM_BYTES + 999);
        assertEquals(Verdict.FITS_WITH_PAGING, MemoryPlan.of(path, options, size, tight, 999).verdict());
        MemoryPlan full = MemoryPlan.of(path, options, size, tight, 1000);
        assertEquals(Verdict.DOES_NOT_FIT, full.verdict(), full.reason());
        assertEquals(plan.weights().mappedBytes() - 1000, full.pagedBytes());
        assertRemediesHelp(path, full, size, 1000);
        MemoryPlan packed = MemoryPlan.of(path, options.weights(WeightStorage.PACKED), size, LARGE, 1000);
        if (packed.weights().packedBytes() > 0) { // not with scalar kernels
            assertEquals(Verdict.DOES_NOT_FIT, packed.verdict(), packed.reason());
            assertEquals(ModelExperts.PACKED, packed.reason());
            assertRemediesHelp(path, packed, size, 1000);
        }
        assertThrows(IllegalArgumentException.class, () -> MemoryPlan.of(path, options, size, LARGE, -1));
    }

    @Test
    void layersThatSeeAPartKeepAPart() throws IOException {
        Path path = Fixture.of("llama4").getFirst().path();
        ModelOptions options = ModelOptions.defaults().weights(WeightStorage.MAPPED).microBatch(512);
        MemoryPlan two = MemoryPlan.of(path, options, GeneratorOptions.context(16_384), LARGE, 0);
        MemoryPlan eight = MemoryPlan.of(path, options, GeneratorOptions.context(65_536), LARGE, 0);
        for (int g = 0; g < two.cache().size(); g++) {
            MemoryPlan.CacheGroup a = two.cache().get(g), b = eight.cache().get(g);
            assertEquals(a.kind().equals("chunked") ? 8192 : 0, a.visible());
            assertEquals(a.kind().equals("chunked") ? a.bytes() : 4 * a.bytes(), b.bytes(), a.kind());
        }
        assertTrue(two.cache().stream().anyMatch(g -> g.kind().equals("chunked"))
                && two.cache().stream().anyMatch(g -> g.kind().equals("full")));
        Path latent = Fixture.of("deepseek2").getFirst().path();
        assertEquals("latent", MemoryPlan.of(latent, options, GeneratorOptions.defaults(), LARGE, 0).cache().getFirst().kind());
        Path window = Fixture.of("gemma3").getFirst().path();
        assertTrue(
                MemoryPlan.of(window, options, GeneratorOptions.defaults(), LARGE, 0).cache().stream()
                        .anyMatch(g -> g.kind().equals("window")));
    }

    @Test
    void nothingOfTheWeightsIsRead(@TempDir Path folder) throws IOException {
        // a file in which every number is none: loading refuses its norms, a plan does not look at them
        ModelSheet sheet = TinyModels.all().getFirst();
        byte[] bytes = sheet.tensors().get("output_norm.weight").bytes().clone();
        Arrays.fill(bytes, (byte) 0xff);
        Path path = sheet.withTensor("output_norm.weight", new ModelSheet.Item(TensorType.F32, List.of(32L), bytes))
                .write(folder.resolve("m.gguf"));
        MemoryPlan plan = MemoryPlan.of(path, ModelOptions.defaults(), GeneratorOptions.defaults(), LARGE, 0);
        assertEquals(Verdict.FITS, plan.verdict());
        List<String> refused = new ArrayList<>();
        try {
            Model.load(path).close();
        } catch (ModelFormatException e) {
            refused.add(Optional.ofNullable(e.getMessage()).orElse(""));
        }
        assertEquals(1, refused.size());
    }
}
