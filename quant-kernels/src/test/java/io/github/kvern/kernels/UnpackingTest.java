package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Packed weights are the only copy: what was in the file comes back from them.
final class UnpackingTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_261_121);

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void rowsComeBack(TensorType type) {
        SplittableRandom random = new SplittableRandom(SEED + type.id());
        for (int rows : new int[] {1, 31, 32, 33, 70}) {
            int experts = 1 + rows % 3, k = 3 * type.blockLength();
            MemorySegment file = Blocks.random(type, experts * rows, k, random);
            try (Arena arena = Arena.ofShared(); Workers workers = new Workers(2)) {
                Matrix mapped = Kernels.best().matrix(type, file, rows, k, experts, Precision.FAST), packed = mapped.packed(arena, workers);
                assertEquals(Layout.PACKED, packed.layout());
                assertEquals(mapped.bytes(), packed.bytes());
                assertThrows(IllegalStateException.class, packed::segment);
                float[] expected = new float[k + 2], found = new float[k + 2];
                for (int row = 0; row < rows * experts; row++) {
                    mapped.decodeRow(row, expected, 1);
                    packed.decodeRow(row, found, 1);
                    assertArrayEquals(expected, found, type + ", row " + row + " of " + experts + " x " + rows + ", seed " + SEED);
                }
                RestoredRows restored = new RestoredRows();
                PackedMatMul kernel = (PackedMatMul) packed.kernel();
                for (int row = 0, n; row < rows * experts; row += n) {
                    n = Math.min(RestoredRows.MOST, rows - row % rows);
                    MemorySegment bytes = restored.of(packed, kernel, row / rows, row % rows, n);
                    assertArrayEquals(file.asSlice(row * type.rowBytes(k), n * type.rowBytes(k)).toArray(ValueLayout.JAVA_BYTE),
                            bytes.asSlice(0, n * type.rowBytes(k)).toArray(ValueLayout.JAVA_BYTE));
                }
            }
        }
    }

    /// The source is read in pieces, once, and a little at a time.
    @Test
    void readsItsSourceOnce() {
        int rows = 1030, k = 4096;
        MemorySegment file = Blocks.random(TensorType.Q4_K, rows, k, new SplittableRandom(SEED));
        byte[] seen = new byte[(int) file.byteSize()];
        try (Arena arena = Arena.ofShared(); Workers workers = new Workers(2)) {
            Matrix mapped = Kernels.best().matrix(TensorType.Q4_K, file, rows, k, 1, Precision.FAST);
            Matrix packed = mapped.packed((from, into) -> {
                synchronized (seen) {
                    assertEquals(true, into.byteSize() <= 2 << 20, "a piece of " + into.byteSize());
                    for (int i = 0; i < into.byteSize(); i++) seen[(int) from + i]++;
                }
                MemorySegment.copy(file, from, into, 0, into.byteSize());
            }, arena, workers);
            assertEquals(Layout.PACKED, packed.layout());
        }
        byte[] once = new byte[seen.length];
        Arrays.fill(once, (byte) 1);
        assertArrayEquals(once, seen);
    }
}
