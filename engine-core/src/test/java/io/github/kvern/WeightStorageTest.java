package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.run.CacheBudget;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.kvcache.Visible;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Mapped or packed: who decides, and on what grounds.
class WeightStorageTest {
    private static final long GB = 1L << 30;

    /// Sizes in GB; what is at hand at the moment is no part of it.
    @ParameterizedTest
    @CsvSource({
            "AUTO, 5, 24, 24, PACKED, at most half",
            "AUTO, 12, 24, 24, PACKED, at most half",
            "AUTO, 13, 24, 24, MAPPED, more than half",
            "AUTO, 1, 1, 1, MAPPED, more than half",
            "AUTO, 5, 24, 6, MAPPED, MaxDirectMemorySize",
            "AUTO, 0, 24, 24, MAPPED, no weight",
            "MAPPED, 5, 24, 24, MAPPED, asked for",
            "PACKED, 0, 24, 24, MAPPED, no weight",
            "PACKED, 13, 24, 24, PACKED, asked for",
            "PACKED, 6, 24, 6, PACKED, asked for"})
    void decidesFromSizes(WeightStorage asked, long packed, long machine, long direct, WeightsInfo.Kind kind, String reason) {
        WeightsInfo found = choose(asked, packed * GB, machine * GB, direct * GB);
        assertEquals(kind, found.kind(), found::toString);
        assertEquals(kind == WeightsInfo.Kind.PACKED ? packed * GB : 0, found.packedBytes());
        assertTrue(found.reason().contains(reason), found::toString);
    }

    @ParameterizedTest
    @CsvSource({"25, 24, 30, the machine's, false", "7, 24, 6, -XX:MaxDirectMemorySize, true"})
    void refusesWhatCanNeverFit(long packed, long machine, long direct, String which, boolean raise) {
        String message = assertThrows(MemoryBudgetException.class,
                () -> choose(WeightStorage.PACKED, packed * GB, machine * GB, direct * GB)).getMessage();
        for (String part : List.of(packed * GB + " bytes", Math.min(machine, direct) * GB + "", "--weights mapped", which))
            assertTrue(message.contains(part), message);
        assertEquals(raise, message.contains("or raise -XX:MaxDirectMemorySize"), message);
    }

    private static WeightsInfo choose(WeightStorage asked, long packed, long machine, long direct) {
        return LoadedWeights.choose(ModelOptions.defaults().weights(asked), packed, 0, new MemoryLimits(machine, direct), Kernels.best());
    }

    /// Maverick in Q4_K_M on its server, and on one with too little memory; a model of 8 billion weights on a desktop.
    @ParameterizedTest
    @CsvSource({"231, 768, PACKED, true", "231, 256, MAPPED, true", "5, 16, PACKED, false", "15, 32, PACKED, false",
            "16, 32, PACKED, true"})
    void tellsThatPackingCanBeDoneOnce(long packed, long machine, WeightsInfo.Kind kind, boolean told) {
        WeightsInfo found = choose(WeightStorage.AUTO, packed * GB, machine * GB, 1024 * GB);
        assertEquals(kind, found.kind(), found::toString);
        assertEquals(told, found.reason().contains("kvern repack"), found::toString);
    }

    @Test
    void leavesRoomForTheCacheThatWasAskedFor() {
        MemoryLimits limits = new MemoryLimits(24 * GB, 24 * GB);
        for (long gb : new long[] {14, 15}) {
            ModelOptions options = ModelOptions.defaults().cacheBytes(gb * GB);
            assertEquals(gb == 14 ? WeightsInfo.Kind.PACKED : WeightsInfo.Kind.MAPPED,
                    LoadedWeights.choose(options, 10 * GB, 0, limits, Kernels.best()).kind());
        }
    }

    /// What a model needs besides, packed or not, counts.
    @Test
    void leavesRoomForCopies() {
        MemoryLimits limits = new MemoryLimits(24 * GB, 24 * GB);
        for (long gb : new long[] {2, 3})
            assertEquals(gb == 2 ? WeightsInfo.Kind.PACKED : WeightsInfo.Kind.MAPPED,
                    LoadedWeights.choose(ModelOptions.defaults(), 10 * GB, gb * GB, limits, Kernels.best()).kind());
        ModelOptions packed = ModelOptions.defaults().weights(WeightStorage.PACKED);
        assertEquals(20 * GB, LoadedWeights.choose(packed, 20 * GB, 4 * GB, limits, Kernels.best()).packedBytes());
        String message = assertThrows(MemoryBudgetException.class,
                () -> LoadedWeights.choose(packed, 20 * GB, 5 * GB, limits, Kernels.best())).getMessage();
        for (String part : List.of(20 * GB + " bytes", 19 * GB + " (", 5 * GB + " bytes of copies"))
            assertTrue(message.contains(part), message);
        ModelOptions cache = ModelOptions.defaults().cacheBytes(14 * GB);
        assertEquals(WeightsInfo.Kind.PACKED, LoadedWeights.choose(cache, 9 * GB, GB, limits, Kernels.best()).kind());
        assertEquals(WeightsInfo.Kind.MAPPED, LoadedWeights.choose(cache, 9 * GB, 2 * GB, limits, Kernels.best()).kind());
    }

    @Test
    void packedWeightsAndCacheTakeThreeQuartersTogether() {
        assertEquals(12 * GB, CacheBudget.bytes(0, 0, new MemoryLimits(24 * GB, 24 * GB)));
        assertEquals(12 * GB, CacheBudget.bytes(0, 6 * GB, new MemoryLimits(24 * GB, 24 * GB)));
        assertEquals(8 * GB, CacheBudget.bytes(0, 10 * GB, new MemoryLimits(24 * GB, 24 * GB)));
        assertEquals(2 * GB, CacheBudget.bytes(0, 4 * GB, new MemoryLimits(24 * GB, 6 * GB)));
        assertThrows(MemoryBudgetException.class, () -> CacheBudget.bytes(15 * GB, 10 * GB, new MemoryLimits(24 * GB, 24 * GB)));
    }

    @Test
    void aSmallerCacheIsAdvisedOnlyWhereThereIsOne() {
        for (TensorType storage : List.of(TensorType.F16, TensorType.F32)) {
            List<KvLayout> groups = List.of(new KvLayout(1, 1, 32, 32, storage, Visible.ALL, false));
            try (PagePool pool = new PagePool(groups, 1 << 20)) {
                CacheBudget.check(pool, groups, 64, 512);
                String message = assertThrows(MemoryBudgetException.class, () -> CacheBudget.check(pool, groups, 1 << 20, 512))
                        .getMessage();
                assertEquals(storage == TensorType.F32, message.contains("--kv f16"), message);
                assertTrue(message.contains("-c"), message);
            }
        }
    }

    @Test
    void exactProductsStayMapped() {
        try (Model model = Shipped.load(Shipped.exact().weights(WeightStorage.PACKED))) {
            assertEquals(new WeightsInfo(WeightsInfo.Kind.MAPPED, 0, "exact products read the weights as in the file"),
                    model.info().weights());
        }
    }

    @Test
    void saysWhatItChoseAndTellsItsProgress() throws IOException {
        Assumptions.assumeTrue(!Kernels.best().name().equals("scalar"), "scalar kernels pack nothing: not checked");
        List<Double> told = new ArrayList<>();
        try (Model model = Model.load(Shipped.path(), ModelOptions.defaults(), told::add)) {
            WeightsInfo weights = model.info().weights();
            assertEquals(WeightsInfo.Kind.PACKED, weights.kind(), weights::toString);
            long file = model.info().bytes();
            assertTrue(weights.packedBytes() > file / 2 && weights.packedBytes() < 3 * file / 2, weights::toString);
        }
        assertTrue(told.size() > 10, told::toString);
        assertEquals(told.stream().sorted().toList(), told);
        assertEquals(1, told.getLast());
    }

    /// A listener that throws ends the loading; the next one works.
    @Test
    void aListenerMayThrow() {
        ModelOptions packed = ModelOptions.defaults().weights(WeightStorage.PACKED);
        for (double at : new double[] {0, 0.5, 1}) {
            assertThrows(IllegalCallerException.class, () -> Model.load(Shipped.path(), packed, fraction -> {
                if (fraction >= at) throw new IllegalCallerException();
            }).close());
        }
        try (Model model = Shipped.load(packed)) {
            assertEquals(1, model.score(new int[] {1, 2}, new int[] {1}).length);
        }
    }
}
