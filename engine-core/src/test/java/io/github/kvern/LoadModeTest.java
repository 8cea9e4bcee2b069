package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.kernels.Kernels;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pages are where the load mode wants them, as Linux counts them.
class LoadModeTest {
    private static final Path SMAPS = Path.of("/proc/self/smaps");

    @TempDir
    private Path folder = Path.of("");

    /// Bytes of the mapping of a file: in this process, or locked.
    static long smaps(Path file, String field) throws IOException {
        boolean inside = false;
        long sum = 0;
        for (String line : Files.readAllLines(SMAPS)) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) inside = line.endsWith(file.toString());
            else if (inside && line.startsWith(field + ":")) sum += Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
        return sum;
    }

    private Path copy() throws IOException {
        Assumptions.assumeTrue(Files.isReadable(SMAPS), "no smaps: not checked");
        return Files.copy(Shipped.path(), folder.resolve("model.gguf"));
    }

    @ParameterizedTest
    @EnumSource(value = LoadMode.class, names = {"MMAP", "PREFAULT"})
    void mappedWeightsAreReadBeforeTheModelIsThereOrNot(LoadMode mode) throws IOException {
        Path path = copy();
        long file = Files.size(path);
        ModelOptions options = ModelOptions.defaults().threads(2).weights(WeightStorage.MAPPED).loadMode(mode);
        List<Double> told = new ArrayList<>();
        try (Model model = Model.load(path, options, told::add)) {
            long resident = smaps(path, "Rss");
            if (mode == LoadMode.PREFAULT) assertTrue(resident > file * 0.9 && resident < file * 1.01, resident + " of " + file);
            assertEquals(mode, model.options().loadMode());
            assertEquals(told.stream().sorted().distinct().toList(), told);
            assertEquals(1, told.getLast());
        }
    }

    @Test
    void packedWeightsAreNotBroughtInTwice() throws IOException {
        Path path = copy();
        ModelOptions options = ModelOptions.defaults().threads(2).weights(WeightStorage.PACKED).loadMode(LoadMode.PREFAULT);
        Assumptions.assumeTrue(!Kernels.best().name().equals("scalar"), "scalar kernels pack nothing: not checked");
        try (Model model = Model.load(path, options)) {
            long packed = model.info().weights().packedBytes(), resident = smaps(path, "Rss");
            assertTrue(packed > 0 && resident < Files.size(path) / 2, resident + " bytes are mapped beside " + packed + " packed");
        }
    }

    @Test
    void anInterruptEndsTheLoading() throws IOException {
        Path path = copy();
        ModelOptions options = ModelOptions.defaults().threads(2).weights(WeightStorage.MAPPED).loadMode(LoadMode.PREFAULT);
        String message = assertThrows(InterruptedIOException.class,
                () -> Model.load(path, options, told -> Thread.currentThread().interrupt()).close()).getMessage();
        assertTrue(Thread.interrupted(), "the interrupt stays");
        assertTrue(message.startsWith(path + ": loading was interrupted"), message);
        assertEquals(0, smaps(path, "Rss"), "and nothing stays mapped");
    }

    /// Prints what is locked.
    static final class Lock {
        private Lock() {
        }

        public static void main(String[] args) throws IOException {
            ModelOptions options = ModelOptions.defaults().threads(2).weights(WeightStorage.MAPPED).loadMode(LoadMode.LOCK);
            Path path = Path.of(args[0]);
            try (Model model = Model.load(path, options)) {
                System.out.println("locked " + smaps(path, "Locked") + " of " + model.info().bytes());
            } catch (IllegalStateException | MemoryBudgetException e) {
                System.out.println("refused " + e.getMessage());
            }
        }
    }

    @Test
    void lockedWeightsStayOrTheMessageSaysWhatItTakes() throws IOException, InterruptedException {
        Path path = copy();
        String vectors = "--add-modules=jdk.incubator.vector";
        String without = ForkedJvm.run(Lock.class, List.of(vectors), path.toString());
        assertTrue(without.contains("refused load mode lock") && without.contains("--enable-native-access=ALL-UNNAMED"), without);
        assertTrue(!without.contains("restricted method"), without);
        String with = ForkedJvm.run(Lock.class, List.of(vectors, "--enable-native-access=ALL-UNNAMED"), path.toString());
        if (with.contains("refused")) {
            assertTrue(with.contains("ulimit -l") && with.contains("bytes"), with);
            return;
        }
        String[] words = with.lines().filter(l -> l.startsWith("locked")).findFirst().orElseThrow(() -> new AssertionError(with))
                .split(" ");
        long locked = Long.parseLong(words[1]), file = Long.parseLong(words[3]);
        assertTrue(locked > file * 0.9 && locked < file * 1.01, with);
    }
}
