package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.kvern.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A product with packed weights allocates nothing once it is compiled, however many columns there are.
class PackedAllocationTest {
    private static final int ROWS = 256, COLUMNS = 2048, PRODUCTS = 10, BATCHES = 1000;
    /// A region's own objects. Slices for each block would be 2,560 bytes or more, with any type, width and number of columns.
    private static final int FEW_BYTES = 512;

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void allocatesNothing(TensorType type) throws InterruptedException {
        Kernels kernels = Kernels.best();
        try (Arena arena = Arena.ofShared(); Workers workers = new Workers(1)) {
            Matrix w = kernels.matrix(type, Blocks.random(type, ROWS, COLUMNS, new SplittableRandom(1)), ROWS, COLUMNS, 1, Precision.FAST)
                    .packed(arena, workers);
            assertEquals(Layout.PACKED, w.layout());
            try (WarmUp warmUp = kernels.warmUp(List.of(w), System.out::println)) {
                warmUp.await(Duration.ofSeconds(60));
            }
            for (int columns : new int[] {1, 2, 4, 8, 32, 70}) {
                long least = leastBytes(w, columns, workers);
                assertTrue(least <= FEW_BYTES, type + " with " + columns + " columns: " + least + " bytes a product");
            }
        }
    }

    /// Allocated by this thread, which computes alone, in the best of many batches: the last ones run compiled code.
    private static long leastBytes(Matrix w, int columns, Workers workers) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Activation x = new Activation(COLUMNS, columns);
        System.arraycopy(Blocks.gaussian(columns * COLUMNS, new SplittableRandom(2)), 0, x.values(), 0, columns * COLUMNS);
        float[] out = new float[columns * ROWS];
        Region region = new Region(workers);
        long least = Long.MAX_VALUE;
        for (int batch = 0; batch < BATCHES && least > FEW_BYTES; batch++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < PRODUCTS; i++) {
                x.reset(columns);
                region.multiply(w, x, out, 0, ROWS);
                region.run();
            }
            least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / PRODUCTS);
        }
        return least;
    }
}
