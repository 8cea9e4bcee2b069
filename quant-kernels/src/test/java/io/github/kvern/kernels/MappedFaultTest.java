package io.github.kvern.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.testdata.ForkedJvm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// A file that is cut short under its mapping makes a compiled product fail with an [InternalError]: it ends no process, and no result
/// comes of it. In JVMs of their own, because the other outcome is their end.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a mapped file cannot be cut short there")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MappedFaultTest {
    private static final int ROWS = 192, COLUMNS = 1024, TIMES = 20;
    private static final List<TensorType> PACKED = List.of(TensorType.Q8_0, TensorType.Q4_0, TensorType.Q4_K, TensorType.Q5_K,
            TensorType.Q6_K);
    private static final List<TensorType> TYPES = List.of(TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0,
            TensorType.Q4_0, TensorType.Q4_K, TensorType.Q5_K, TensorType.Q6_K, TensorType.IQ4_XS);

    @TempDir
    private Path folder;

    /// Multiplies, cuts the file short, multiplies again, and so on; says how often there was an error.
    static final class Probe {
        private Probe() {
        }

        public static void main(String[] args) throws IOException, InterruptedException {
            SplittableRandom random = new SplittableRandom(5);
            try (Arena arena = Arena.ofShared(); Workers workers = new Workers(2)) {
                List<Sheet> sheets = new ArrayList<>();
                for (TensorType type : TYPES) sheets.add(Sheet.of(type, Path.of(args[0], type.name()), arena, random));
                for (TensorType type : PACKED) sheets.add(Sheet.packed(type, Path.of(args[0], type + "-packed"), arena, random));
                List<Matrix> matrices = sheets.stream().flatMap(s -> s.matrices.stream()).toList();
                try (WarmUp warmUp = Kernels.best().warmUp(matrices, System.out::println)) {
                    if (!warmUp.await(Duration.ofSeconds(50)) || !warmUp.problems().isEmpty()) System.out.println("not compiled");
                }
                for (Sheet s : sheets)
                    for (Matrix m : s.matrices)
                        for (int columns : s.columns()) System.out.println(s.spoil(m, columns, workers, random));
            }
        }
    }

    /// Weights in a mapped file.
    private record Sheet(String name, Path path, MemorySegment good, List<Matrix> matrices) {
        static Sheet of(TensorType type, Path path, Arena arena, SplittableRandom random) throws IOException {
            MemorySegment good = Blocks.random(type, ROWS, COLUMNS, random);
            Files.write(path, good.toArray(ValueLayout.JAVA_BYTE));
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
                MemorySegment mapped = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
                List<Matrix> matrices = new ArrayList<>();
                for (Precision p : List.of(Precision.EXACT, Precision.FAST))
                    matrices.add(Kernels.best().matrix(type, mapped, ROWS, COLUMNS, 1, p));
                return new Sheet(type.name(), path, good, matrices);
            }
        }

        /// The same, packed in the file.
        static Sheet packed(TensorType type, Path path, Arena arena, SplittableRandom random) throws IOException {
            Matrix m = Kernels.best().matrix(type, Blocks.random(type, ROWS, COLUMNS, random), ROWS, COLUMNS, 1, Precision.FAST);
            PackedForm form = PackedForm.of(Kernels.best(), type).orElseThrow();
            MemorySegment good = arena.allocate(form.bytes(ROWS, COLUMNS, 1), 64);
            AtomicLong at = new AtomicLong();
            try (Workers workers = new Workers(1)) {
                form.pack(m, (from, into) -> MemorySegment.copy(m.segment(), from, into, 0, into.byteSize()), workers, good.byteSize(),
                        piece -> good.asSlice(at.getAndAdd(piece.byteSize()), piece.byteSize()).copyFrom(piece));
            }
            Files.write(path, good.toArray(ValueLayout.JAVA_BYTE));
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
                MemorySegment mapped = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
                return new Sheet(type + " packed", path, good, List.of(form.matrix(type, mapped, ROWS, COLUMNS, 1)));
            }
        }

        /// One of each way to multiply.
        int[] columns() {
            return name.contains("packed") ? new int[] {1, 9, 70} : new int[] {1, 9};
        }

        String spoil(Matrix w, int columns, Workers workers, SplittableRandom random) throws IOException {
            int errors = 0, wrong = 0;
            float[] expected = product(w, columns, workers);
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
                for (int i = 0; i < TIMES; i++) {
                    file.truncate(random.nextLong(0, good.byteSize() - 8192));
                    try {
                        product(w, columns, workers);
                    } catch (InternalError e) {
                        errors++;
                    }
                    file.write(good.asByteBuffer(), 0);
                    if (!Arrays.equals(expected, product(w, columns, workers))) wrong++;
                }
            }
            return name + ", " + columns + " columns: " + errors + " errors, " + wrong + " wrong";
        }

        private static float[] product(Matrix w, int columns, Workers workers) {
            Activation x = new Activation(COLUMNS, columns);
            System.arraycopy(Blocks.gaussian(columns * COLUMNS, new SplittableRandom(6)), 0, x.values(), 0, columns * COLUMNS);
            x.reset(columns);
            float[] out = new float[columns * ROWS];
            Region region = new Region(workers);
            region.multiply(w, x, out, 0, ROWS);
            region.run();
            return out;
        }
    }

    @Test
    void isAnError() throws IOException, InterruptedException {
        List<Class<?>> needs = List.of(Kernels.class, TensorType.class, LoggerFactory.class);
        List<String> options = List.of("--add-modules=jdk.incubator.vector", "-Xmx256m", "-XX:ErrorFile=" + folder.resolve("error.txt"),
                "-Dkvern.kernels=" + System.getProperty("kvern.test.bits", ""));
        String out = ForkedJvm.run(Probe.class, needs, options, folder.toString());
        List<String> lines = out.lines().filter(line -> line.contains(" columns: ") || line.startsWith("exit code")).toList();
        List<String> expected = new ArrayList<>();
        for (TensorType type : TYPES)
            for (int columns : new int[] {1, 9, 1, 9}) expected.add(type + ", " + columns + " columns: " + TIMES + " errors, 0 wrong");
        for (TensorType type : PACKED)
            for (int columns : new int[] {1, 9, 70})
                expected.add(type + " packed, " + columns + " columns: " + TIMES + " errors, 0 wrong");
        expected.add("exit code 0");
        assertEquals(expected, lines, out);
    }
}
