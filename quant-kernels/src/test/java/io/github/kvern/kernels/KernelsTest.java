package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The door: which kernels it picks in which JVM, and what it refuses.
final class KernelsTest {
    /// Run in JVMs of their own: says what the door picked, and computes a little.
    public static final class Probe {
        private Probe() {}

        public static void main(String[] args) {
            Kernels k = Kernels.best();
            System.out.println(k.name() + "|" + k.reason() + "|" + k.warning().orElse("") + "|" + checksum());
        }
    }

    private static int checksum() {
        SplittableRandom random = new SplittableRandom(7);
        int hash = 0;
        for (TensorType type : List.of(TensorType.Q4_K, TensorType.F16, TensorType.Q8_0, TensorType.IQ4_XS)) {
            Matrix w = Kernels.best().matrix(type, Blocks.random(type, 37, 512, random), 37, 512, 1, Precision.EXACT);
            Activation x = new Activation(512, 5);
            x.reset(5);
            System.arraycopy(Blocks.gaussian(5 * 512, random), 0, x.values(), 0, 5 * 512);
            float[] out = new float[5 * 37];
            try (Workers workers = new Workers(2)) {
                Region region = new Region(workers);
                region.multiply(w, x, out, 0, 37);
                region.run();
            }
            for (float v : out) hash = 31 * hash + Float.floatToIntBits(v);
        }
        return hash;
    }

    /// On the class path, with these options.
    private static String[] probe(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of(options));
        String path = System.getProperty("java.class.path");
        String modules = System.getProperty("jdk.module.path", "");
        command.addAll(List.of("-cp", modules.isEmpty() ? path : path + System.getProperty("path.separator") + modules
                + System.getProperty("path.separator") + Path.of("target", "test-classes").toAbsolutePath(), Probe.class.getName()));
        Process p = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), out);
        return out.strip().split("\\|");
    }

    private static final String ADD = "--add-modules=jdk.incubator.vector";

    @Test
    void withoutTheModuleItIsScalarAndSaysTheFlag() throws Exception {
        String[] found = probe();
        assertEquals("scalar", found[0]);
        assertTrue(found[2].contains("--add-modules jdk.incubator.vector"), found[2]);
        assertEquals(String.valueOf(checksum()), found[3], "exact results without vectors are those with vectors");
    }

    @Test
    void withoutAnOptimisingCompilerItIsScalarAndSaysSo() throws Exception {
        for (String option : List.of("-Xint", "-XX:TieredStopAtLevel=1", "-XX:TieredStopAtLevel=3")) {
            String[] found = probe(ADD, option);
            assertEquals("scalar", found[0], option);
            assertTrue(found[2].contains(option), option + ": " + found[2]);
        }
    }

    @Test
    void forcesAWidth() throws Exception {
        String[] found = probe(ADD, "-Dkvern.kernels=128");
        assertEquals("vector128", found[0]);
        assertEquals("", found[2]);
        assertEquals(String.valueOf(checksum()), found[3]);
        found = probe(ADD, "-Dkvern.kernels=scalar");
        assertEquals("scalar", found[0]);
        assertEquals("", found[2]);
        found = probe(ADD, "-XX:MaxVectorSize=16", "-Dkvern.kernels=256");
        assertEquals("vector128", found[0]);
        assertTrue(found[2].contains("more bits"), found[2]);
        found = probe(ADD, "-Dkvern.kernels=fast");
        assertTrue(found[2].contains("none of"), found[2]);
    }

    @Test
    void refusesImpossibleShapes() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[144 * 6]);
        Kernels k = Kernels.best();
        assertEquals(2, k.matrix(TensorType.Q4_K, bytes, 3, 256, 2, Precision.FAST).experts());
        refused(TensorType.Q4_K, bytes, 0, 256, 1);
        refused(TensorType.Q4_K, bytes, -6, 256, -1);
        refused(TensorType.Q4_K, bytes, 6, 0, 1);
        refused(TensorType.Q4_K, bytes, 6, 255, 1);
        refused(TensorType.Q4_K, bytes, 6, 257, 1);
        refused(TensorType.Q4_K, bytes, 5, 256, 1);
        refused(TensorType.Q4_K, bytes, 7, 256, 1);
        refused(TensorType.Q4_K, bytes, 6, 256, 0);
        refused(TensorType.Q4_K, bytes, Integer.MAX_VALUE, 256, Integer.MAX_VALUE);
        refused(TensorType.F32, bytes, 1 << 16, 1 << 30, 1 << 14);
        refused(TensorType.F32, MemorySegment.ofArray(new byte[0]), 1 << 16, 1 << 30, 1 << 16);
        assertThrows(UnsupportedModelException.class, () -> k.matrix(TensorType.I32, bytes, 6, 36, 1, Precision.FAST));
    }

    private static void refused(TensorType type, MemorySegment bytes, int rows, int columns, int experts) {
        assertThrows(IllegalArgumentException.class, () -> Kernels.best().matrix(type, bytes, rows, columns, experts, Precision.FAST),
                experts + "x" + rows + "x" + columns);
    }

    @Test
    void refusesProductsThatDoNotFit() {
        Matrix w = Kernels.best().matrix(TensorType.F32, MemorySegment.ofArray(new byte[4 * 8 * 4]), 4, 8, 1, Precision.FAST);
        try (Workers workers = new Workers(1)) {
            Region region = new Region(workers);
            Activation x = new Activation(8, 2), wide = new Activation(9, 2);
            x.reset(2);
            wide.reset(2);
            float[] out = new float[8];
            assertThrows(IllegalArgumentException.class, () -> region.multiply(w, wide, out, 0, 4));
            assertThrows(IllegalArgumentException.class, () -> region.multiply(w, x, out, 1, 4));
            assertThrows(IllegalArgumentException.class, () -> region.multiply(w, x, out, 0, 5));
            assertThrows(IllegalArgumentException.class, () -> region.multiply(w, x, out, -1, 4));
            assertThrows(IllegalArgumentException.class, () -> region.multiply(w, 1, x, 0, out, 0, 4));
            assertThrows(IllegalArgumentException.class, () -> region.multiply(w, 0, x, 1, out, 0, 4));
            assertThrows(IllegalArgumentException.class, () -> x.segment(new int[] {0, 2, 1}, 2));
            assertThrows(IllegalArgumentException.class, () -> x.segment(new int[] {0, 1}, 1));
            assertThrows(IllegalArgumentException.class, () -> x.reset(-1));
            assertThrows(IllegalArgumentException.class, () -> new Activation(0, 1));
        }
    }

    @Test
    void segmentsAreBatchesOfTheirOwn() {
        SplittableRandom random = new SplittableRandom(11);
        for (Precision precision : Precision.values()) {
            for (TensorType type : List.of(TensorType.Q4_K, TensorType.F32, TensorType.IQ2_XXS)) {
                int experts = 5, rows = 40, k = 256;
                Matrix w = Kernels.best().matrix(type, Blocks.random(type, experts * rows, k, random), rows, k, experts, precision);
                int[] boundaries = {0, 1, 1, 12, 15, 19};
                Activation x = new Activation(k, 19);
                x.reset(19);
                System.arraycopy(Blocks.gaussian(19 * k, random), 0, x.values(), 0, 19 * k);
                x.segment(boundaries, experts);
                float[] out = new float[19 * rows];
                try (Workers workers = new Workers(3)) {
                    Region region = new Region(workers);
                    for (int e = 0; e < experts; e++) region.multiply(w, e, x, e, out, boundaries[e] * rows, rows);
                    region.run();
                    for (int e = 0; e < experts; e++) {
                        int n = x.columns(e);
                        Activation alone = new Activation(k, Math.max(1, n));
                        alone.reset(n);
                        System.arraycopy(x.values(), boundaries[e] * k, alone.values(), 0, n * k);
                        float[] expected = new float[n * rows];
                        region.multiply(w, e, alone, 0, expected, 0, rows);
                        region.run();
                        assertArrayEquals(expected, java.util.Arrays.copyOfRange(out, boundaries[e] * rows, boundaries[e + 1] * rows),
                                type + " expert " + e);
                    }
                }
            }
        }
    }
}
