package io.github.kvern;

import io.github.kvern.testdata.Json;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// One tiny model of the test data with its known answers.
///
/// @param folder where its files are
/// @param model the model's name
/// @param type the file type's name
/// @param json all of the model's answers
record Fixture(Path folder, String model, String type, Map<String, Object> json) {
    /// The fixtures of an architecture: those of the wide set when this machine has it, and those of the repository that are not in it.
    static List<Fixture> of(String architecture) {
        List<Fixture> found = new ArrayList<>();
        TestData.shared().ifPresent(p -> add(p.resolve("fixtures/models"), architecture, found));
        add(TestData.folder().resolve("fixtures/models"), architecture, found);
        if (found.isEmpty()) throw new IllegalStateException("no models of architecture " + architecture);
        return found;
    }

    private static void add(Path folder, String architecture, List<Fixture> found) {
        Set<String> known = found.stream().map(Fixture::model).collect(Collectors.toSet());
        try (Stream<Path> files = Files.list(folder)) {
            for (Path p : files.filter(f -> f.toString().endsWith(".json") && !f.toString().endsWith(".ppl.json")).sorted().toList()) {
                Map<String, Object> json = Json.parse(p);
                if (!architecture.equals(json.get("arch")) || known.contains((String) json.get("name"))) continue;
                for (String type : Json.object(json.get("files")).keySet()) {
                    Fixture f = new Fixture(folder, (String) json.get("name"), type, json);
                    if (Files.exists(f.path())) found.add(f);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Map<String, Object> answers() {
        return Json.object(Json.object(json.get("files")).get(type));
    }

    Path path() {
        return folder.resolve((String) answers().get("gguf"));
    }

    int[] tokens() {
        return ints(json.get("tokens"));
    }

    int[] positions() {
        return ints(answers().getOrDefault("logits_positions", json.get("logits_positions")));
    }

    /// The reference's logits, `[positions][vocabulary]`.
    float[][] exactLogits() {
        return floats((String) answers().get("exact_logits"), positions().length);
    }

    int[] exactGreedy() {
        return ints(answers().get("exact_greedy"));
    }

    /// The median over positions of the rms difference between the reference's own quantised and exact arithmetic.
    double medianRms() {
        if (!answers().containsKey("native_vs_exact")) return 0; // an F32 file has no other reading
        return ((Number) Json.object(answers().get("native_vs_exact")).get("median_position_rms")).doubleValue();
    }

    boolean hasExperts() {
        return Json.object(json.get("config")).containsKey("experts");
    }

    float[][] floats(String file, int rows) {
        try {
            float[] all = new float[(int) (Files.size(folder.resolve(file)) / 4)];
            ByteBuffer.wrap(Files.readAllBytes(folder.resolve(file))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(all);
            float[][] split = new float[rows][all.length / rows];
            for (int i = 0; i < rows; i++) System.arraycopy(all, i * split[i].length, split[i], 0, split[i].length);
            return split;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ints(Object list) {
        return Json.list(list).stream().mapToInt(n -> ((Number) n).intValue()).toArray();
    }

    @Override
    public String toString() {
        return model + " " + type;
    }
}
