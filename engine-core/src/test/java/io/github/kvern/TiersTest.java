package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.arch.Architectures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Logits have the same bits whatever the JVM made of the code that computes them: interpreted, or compiled by any of its compilers,
/// at any moment.
class TiersTest {
    private static final List<String> JVM = List.of("--add-modules=jdk.incubator.vector", "-XX:+UseSerialGC", "-Xmx256m");
    private static final String DEFAULT = "-XX:+TieredCompilation", NO_TIERS = "-XX:-TieredCompilation";
    private static final String FIRST_TIER = "-XX:TieredStopAtLevel=1", INTERPRETED = "-Xint";
    private static final String EXACT = "EXACT", MAPPED = "REPRODUCIBLE MAPPED", PACKED = "REPRODUCIBLE PACKED",
            FAST_MAPPED = "FAST MAPPED",
            FAST_PACKED = "FAST PACKED", COMPILED = ", compiled";

    @Test
    void theSameBits() throws IOException, InterruptedException {
        Path path = Architectures.names().stream().flatMap(a -> Fixture.of(a).stream())
                .filter(f -> f.model().equals("llama-tied") && f.type().equals("Q4_K_M")).findFirst().orElseThrow().path();
        Map<String, Map<String, String>> found = new LinkedHashMap<>();
        for (String option : List.of(DEFAULT, NO_TIERS, FIRST_TIER, INTERPRETED)) found.put(option, logits(path, option));
        String kernels = found.get(DEFAULT).get("kernels");
        for (String option : found.keySet()) {
            Map<String, String> here = found.get(option);
            for (String how : List.of(EXACT, MAPPED)) assertEquals(found.get(DEFAULT).get(how), here.get(how), how + " with " + option);
            // without vectors fast products are exact ones, and nothing is packed
            boolean scalar = here.get("kernels").equals("scalar");
            for (String how : List.of(PACKED, FAST_MAPPED, FAST_PACKED))
                assertEquals(scalar ? here.get(MAPPED) : found.get(DEFAULT).get(how), here.get(how), how + " with " + option);
            for (String how : List.of(FAST_MAPPED, FAST_PACKED))
                if (option.equals(DEFAULT))
                    assertEquals(here.get(how), here.get(how + COMPILED), how + " with " + option + ", once kernels are compiled");
        }
        assertEquals(kernels, found.get(NO_TIERS).get("kernels"));
        for (String option : List.of(FIRST_TIER, INTERPRETED)) assertEquals("scalar", found.get(option).get("kernels"), option);
        assertEquals(found.get(DEFAULT).get(PACKED), found.get(DEFAULT).get(FAST_PACKED));
        if (!kernels.equals("scalar")) {
            long different = List.of(EXACT, MAPPED, FAST_MAPPED, FAST_PACKED).stream().map(found.get(DEFAULT)::get).distinct().count();
            assertEquals(4, different, "these are four ways to compute: " + found);
        }
    }

    private static Map<String, String> logits(Path path, String option) throws IOException, InterruptedException {
        List<String> options = new ArrayList<>(JVM);
        options.add(option);
        String out = ForkedJvm.run(Logits.class, options, path.toString(), String.valueOf(option.equals(DEFAULT)));
        assertTrue(out.endsWith("exit code 0"), option + ": " + out);
        Map<String, String> found = new LinkedHashMap<>();
        for (String line : out.lines().filter(l -> l.contains("=")).toList())
            found.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        return found;
    }

    /// Tells hashes of logits, computed in many ways: at once, while kernels are not compiled, and then fast ones when they are.
    static final class Logits {
        public static void main(String... args) throws IOException, InterruptedException, NoSuchAlgorithmException {
            ModelOptions fast = ModelOptions.defaults().threads(1).microBatch(6), reproducible = fast.reproducible(true);
            Map<String, ModelOptions> ways = new LinkedHashMap<>();
            ways.put(EXACT, fast.precision(Precision.EXACT));
            ways.put(MAPPED, reproducible.weights(WeightStorage.MAPPED));
            ways.put(PACKED, reproducible.weights(WeightStorage.PACKED));
            ways.put(FAST_MAPPED, fast.weights(WeightStorage.MAPPED));
            ways.put(FAST_PACKED, fast.weights(WeightStorage.PACKED));
            for (Map.Entry<String, ModelOptions> way : ways.entrySet()) {
                try (Model model = Model.load(Path.of(args[0]), way.getValue())) {
                    if (way.getKey().equals(EXACT)) System.out.println("kernels=" + model.info().kernels());
                    System.out.println(way.getKey() + "=" + hash(model));
                }
            }
            if (!Boolean.parseBoolean(args[1])) return; // with one of the JVMs, for it takes seconds
            for (String how : List.of(FAST_MAPPED, FAST_PACKED)) {
                try (Model model = Model.load(Path.of(args[0]), ways.get(how))) {
                    model.awaitWarm(Duration.ofSeconds(10)); // one that is not warm by then has the same bits all the same
                    System.out.println(how + COMPILED + "=" + hash(model));
                }
            }
        }

        /// Of a text that is read in a step of many rows and in one of few.
        private static String hash(Model model) throws NoSuchAlgorithmException {
            int[] text = {1, 15, 99, 3, 42, 7, 250, 11}, positions = {0, 1, 2, 3, 4, 5, 6, 7};
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            model.score(text, positions, (position, logits) -> {
                ByteBuffer bits = ByteBuffer.allocate(4 * logits.length);
                for (float x : logits) bits.putInt(Float.floatToRawIntBits(x));
                digest.update(bits.array());
            });
            return HexFormat.of().formatHex(digest.digest());
        }
    }
}
