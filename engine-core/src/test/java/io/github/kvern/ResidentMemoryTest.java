package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Weights are in memory once, mapped or packed, as Linux counts it, in a JVM of its own.
class ResidentMemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final long INNER = 1 << 19;

    /// Prints packed bytes, then what memory of files and other memory grew by: loaded, used, closed.
    static final class Load {
        private Load() {
        }

        public static void main(String[] args) throws IOException {
            ModelOptions options = ModelOptions.defaults().threads(2).weights(WeightStorage.valueOf(args[0])).cacheBytes(1 << 20);
            Model.load(Path.of(args[1]), options).close(); // classes, and what else comes with the first
            long[] before = resident();
            try (Model model = Model.load(Path.of(args[2]), options)) {
                System.out.println("packed " + model.info().weights().packedBytes());
                print(before);
                model.score(new int[] {1, 2, 3}, new int[] {2});
                print(before);
            }
            print(before);
        }

        private static void print(long[] before) throws IOException {
            long[] now = resident();
            System.out.println("grown " + (now[0] - before[0]) + " " + (now[1] - before[1]));
        }

        private static long[] resident() throws IOException {
            long[] kilobytes = new long[2];
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("RssFile:")) kilobytes[0] = Long.parseLong(line.replaceAll("\\D", ""));
                if (line.startsWith("RssAnon:")) kilobytes[1] = Long.parseLong(line.replaceAll("\\D", ""));
            }
            return new long[] {kilobytes[0] << 10, kilobytes[1] << 10};
        }
    }

    @Test
    void oneCopy(@TempDir Path folder) throws IOException, InterruptedException {
        Assumptions.assumeTrue(Files.isReadable(STATUS) && Files.readString(STATUS).contains("RssAnon"),
                "no /proc/self/status that tells RssAnon: not checked");
        Assumptions.assumeTrue(!Kernels.best().name().equals("scalar"), "scalar kernels pack nothing: not checked");
        ModelSheet sheet = TinyModels.all().getFirst();
        Path small = sheet.write(folder.resolve("small.gguf")), large = folder.resolve("large.gguf");
        ModelSheet grown = sheet.withInt("llama.feed_forward_length", INNER);
        byte[] zeros = new byte[(int) TensorType.Q8_0.rowBytes(32 * INNER)];
        for (String name : List.of("ffn_gate", "ffn_up", "ffn_down")) {
            List<Long> shape = name.equals("ffn_down") ? List.of(INNER, 32L) : List.of(32L, INNER);
            grown = grown.withTensor("blk.0." + name + ".weight", new ModelSheet.Item(TensorType.Q8_0, shape, zeros));
        }
        long file = Files.size(grown.write(large));
        assertTrue(file > 50 << 20, file + " bytes");

        List<long[]> mapped = run("MAPPED", small, large);
        assertEquals(0, mapped.get(0)[0]);
        assertTrue(mapped.get(2)[0] > file * 0.9, "mapped weights were read through the mapping: " + show(mapped));
        assertTrue(mapped.get(2)[1] < file / 4, "and take nothing else: " + show(mapped));

        List<long[]> packed = run("PACKED", small, large);
        long bytes = packed.get(0)[0];
        assertTrue(bytes > file * 0.9 && bytes < file * 1.1, bytes + " packed bytes of " + file);
        long jvm = packed.get(3)[1]; // what compilers took meanwhile, and keep when the model is closed
        for (long[] grew : packed.subList(1, 3)) {
            assertTrue(grew[0] < file / 8, "packed weights are not in the mapping too: " + show(packed));
            assertTrue(grew[1] > bytes * 0.9 && grew[1] - jvm < bytes * 1.1, "and take their own size: " + show(packed));
        }
        assertTrue(packed.get(3)[1] < bytes / 2, "and are given back: " + show(packed));
    }

    private static String show(List<long[]> lines) {
        return lines.stream().map(Arrays::toString).toList().toString();
    }

    private static List<long[]> run(String weights, Path small, Path large) throws IOException, InterruptedException {
        String out = ForkedJvm.run(Load.class, List.of("--add-modules=jdk.incubator.vector", "-XX:+UseSerialGC", "-Xms64m", "-Xmx64m",
                "-XX:+AlwaysPreTouch", "-XX:MaxDirectMemorySize=1g"), weights, small.toString(), large.toString());
        List<long[]> lines = new ArrayList<>();
        for (String line : out.lines().filter(l -> l.startsWith("packed ") || l.startsWith("grown ")).toList()) {
            String[] words = line.split(" ");
            lines.add(words.length == 2 ? new long[] {Long.parseLong(words[1])}
                    : new long[] {Long.parseLong(words[1]), Long.parseLong(words[2])});
        }
        assertEquals(4, lines.size(), out);
        return lines;
    }
}
