package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Model files with one thing wrong, whatever it is, are refused in one line that names it; a key that may be absent or may have
/// another value gives a model that computes.
class HostileModelTest {
    /// Keys behind the architecture's name that no family can do without.
    private static final List<String> REQUIRED = List.of("block_count", "context_length", "embedding_length", "feed_forward_length",
            "attention.head_count", "attention.layer_norm_rms_epsilon");
    private static final List<String> MIXTURE = List.of("expert_count", "expert_used_count", "expert_feed_forward_length");
    private static final Map<String, List<String>> REQUIRED_BY_FAMILY = Map.of("llama4",
            Stream.concat(MIXTURE.stream(), Stream.of("interleave_moe_layer_step")).toList(), "qwen3moe", MIXTURE, "gemma3",
            List.of("attention.sliding_window"), "gpt-oss",
            Stream.concat(MIXTURE.stream(), Stream.of("attention.sliding_window")).toList());
    /// Whole numbers that a model's shapes follow from: no other value will do.
    private static final List<
            String> SHAPES = List.of("embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv",
                    "attention.key_length", "attention.value_length", "expert_count", "expert_feed_forward_length", "vocab_size");
    private static final Set<String> OPTIONAL_TENSORS = Set.of("rope_freqs.weight", "blk.1.exp_probs_b.bias");

    @TempDir
    private Path folder;

    /// The smallest file of every model that there is.
    static Stream<Fixture> models() {
        Set<String> seen = new HashSet<>();
        return Architectures.names().stream().flatMap(a -> Fixture.of(a).stream())
                .sorted(Comparator.comparing(f -> f.path().toFile().length()))
                .filter(f -> seen.add(f.model()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void keys(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        String p = good.architecture() + ".";
        runs(good, "nothing is wrong");
        List<String> required = new ArrayList<>(REQUIRED);
        required.addAll(REQUIRED_BY_FAMILY.getOrDefault(good.architecture(), List.of()));
        if (good.tensors().containsKey("blk.1.ffn_gate_inp.weight")) required.addAll(List.of("expert_count", "expert_used_count"));
        for (String key : required) {
            missing(good, p + key);
            for (MetadataValue wrong : wrongTypes(key.endsWith("epsilon")))
                refused(good.with(p + key, wrong.type(), wrong.value()), p + key);
        }
        for (String key : SHAPES) {
            if (!good.metadata().contains(p + key) && !required.contains(key)) continue;
            for (long n : new long[] {-1, 1 << 30, (1L << 31) - 1, 1L << 31, 1L << 62, Long.MIN_VALUE})
                refused(good.withInt(p + key, n), "");
            // a mixture in every layer leaves nothing of the dense layers' width
            if (key.equals("feed_forward_length") && required.contains("expert_feed_forward_length")
                    && !good.tensors().containsKey("blk.0.ffn_gate.weight"))
                continue;
            int now = good.metadata().findInts(p + key).orElseThrow()[0];
            refused(good.withInt(p + key, now + 1), "");
            refused(good.withInt(p + key, now - 1), "");
            if (!key.equals("attention.head_count_kv")) refused(good.withInt(p + key, 2L * now), "");
            if (!key.equals("expert_count")) refused(good.withInt(p + key, 0), p + key);
        }
        for (String key : good.metadata().keys()) {
            if (key.startsWith("tokenizer.")) continue;
            without(good, key);
            for (long n : new long[] {0, -1, 1, 3, 1 << 20, 1 << 30, (1L << 31) - 1, Long.MAX_VALUE})
                either(good.withInt(key, n), key + " = " + n);
            for (float x : new float[] {0, -1, 1e-45f, 3e38f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                either(good.with(key, MetadataType.FLOAT32, x), key + " = " + x);
                either(good.with(key, MetadataType.FLOAT64, (double) x * 10), key + " = 10 * " + x);
            }
            for (MetadataValue wrong : wrongTypes(false)) either(good.with(key, wrong.type(), wrong.value()), key + " = " + wrong);
        }
    }

    private static List<MetadataValue> wrongTypes(boolean isReal) {
        List<MetadataValue> wrong = new ArrayList<>(
                List.of(MetadataValue.of(MetadataType.STRING, "7\n\u001b[31m"), MetadataValue.of(MetadataType.BOOL, true),
                        MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofFloats(1, 2)),
                        MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts()),
                        MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts(new int[77])),
                        MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofStrings(List.of("x")))));
        if (!isReal) wrong.add(MetadataValue.of(MetadataType.FLOAT32, 2f));
        return wrong;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void countsThatDoNotFitEachOther(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        String p = good.architecture() + ".";
        int heads = good.metadata().findInts(p + "attention.head_count").orElseThrow()[0],
                layers = good.metadata().requireInt(p + "block_count");
        refused(good.withInt(p + "attention.head_count_kv", heads % 3 == 0 ? 4 : 3), p + "attention.head_count_kv");
        refused(good.withInt(p + "attention.head_count_kv", heads + 1), p + "attention.head_count_kv");
        refused(good.withInt(p + "attention.head_count", heads * 3L), "");
        refused(good.withInt(p + "attention.key_length", 33), "");
        refused(good.withInt(p + "rope.dimension_count", 3), p + "rope.dimension_count");
        refused(good.withInt(p + "rope.dimension_count", 1 << 12), p + "rope.dimension_count");
        refused(good.withInt(p + "expert_count", 4).withInt(p + "expert_used_count", 5), p + "expert_used_count");
        refused(good.withInt(p + "expert_count", 4).withInt(p + "expert_used_count", 0), p + "expert_used_count");
        refused(good.withInt(p + "vocab_size", 7), p + "vocab_size");
        refused(good.withInt(p + "block_count", layers + 1), "blk." + layers);
        if (layers > 1) refused(good.withInt(p + "block_count", layers - 1), "blk.");
        for (String key : List.of("attention.head_count", "attention.head_count_kv", "feed_forward_length"))
            refused(good.with(p + key, MetadataType.ARRAY, MetadataArray.ofInts(new int[layers + 1])), p + key);
        refused(good.with(p + "rope.scaling.type", MetadataType.STRING, "lin\near\u202e"), p + "rope.scaling.type");
        refused(good.with(p + "rope.scaling.type", MetadataType.STRING, ""), p + "rope.scaling.type");
        refused(good.with("general.architecture", MetadataType.STRING, "ll\nama"), "general.architecture");
        refused(good.with("general.architecture", MetadataType.STRING, "x".repeat(100_000)), "general.architecture");
        refused(good.without("general.architecture"), "general.architecture");
        refused(good.with("general.name", MetadataType.UINT32, 7), "general.name");
        ModelSheet yarn = good.with(p + "rope.scaling.type", MetadataType.STRING, "yarn").with(p + "rope.scaling.factor",
                MetadataType.FLOAT32, 4f);
        runs(yarn, "yarn");
        for (float bad : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            refused(yarn.with(p + "rope.scaling.yarn_beta_fast", MetadataType.FLOAT32, bad), p + "rope.scaling.yarn_beta");
            refused(yarn.with(p + "rope.scaling.yarn_beta_slow", MetadataType.FLOAT32, bad), p + "rope.scaling.yarn_beta");
            refused(yarn.with(p + "rope.scaling.attn_factor", MetadataType.FLOAT32, bad), p + "rope.scaling.attn_factor");
            refused(good.with(p + "rope.freq_base", MetadataType.FLOAT32, bad), p + "rope.freq_base");
            if (bad != 0) refused(good.with(p + "rope.scaling.factor", MetadataType.FLOAT32, bad), p + "rope.scaling.factor");
            if (bad != 0)
                refused(good.with(p + "attention.layer_norm_rms_epsilon", MetadataType.FLOAT32, bad),
                        p + "attention.layer_norm_rms_epsilon");
        }
        refused(yarn.with(p + "rope.scaling.factor", MetadataType.FLOAT32, 1e-20f), p + "rope.scaling.factor");
        refused(yarn.withInt(p + "rope.scaling.original_context_length", 0), p + "rope.scaling.original_context_length");
    }

    /// Keys by which a file asks for something that its family does not do.
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void whatTheFamilyDoesNotDo(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        String p = good.architecture() + ".";
        switch (good.architecture()) {
            case "llama", "llama4", "qwen3moe", "gpt-oss" -> {
                int own = Map.of("llama4", 2, "gpt-oss", 3).getOrDefault(good.architecture(), 1);
                runs(good.withInt(p + "expert_gating_func", own), "its own gate");
                for (int gate : new int[] {1, 2, 3, 4, 77, -1})
                    if (gate != own) refused(good.withInt(p + "expert_gating_func", gate), p + "expert_gating_func");
                if (!good.architecture().equals("llama")) refused(good.withInt(p + "expert_count", 0), p + "expert_count");
            }
            case "gemma3" -> {
                refused(good.with(p + "final_logit_softcapping", MetadataType.FLOAT32, 30f), p + "final_logit_softcapping");
                runs(good.withInt(p + "attention.sliding_window", 0), "no window");
            }
            default -> {
            }
        }
        if (!good.metadata().contains(p + "attention.sliding_window")) return;
        refused(good.withInt(p + "attention.sliding_window", -1), p + "attention.sliding_window");
        if (!Set.of("gpt-oss", "gemma3").contains(good.architecture())) return;
        for (long pattern : new long[] {0, -1, 1L << 40})
            refused(good.withInt(p + "attention.sliding_window_pattern", pattern), p + "attention.sliding_window_pattern");
        refused(good.with(p + "rope.freq_base_swa", MetadataType.FLOAT32, 0f), p + "rope.freq_base_swa");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void tensors(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        Set<String> kinds = new HashSet<>(); // of tensors that every layer has, one layer's will do
        for (String name : good.tensors().keySet()) {
            if (!OPTIONAL_TENSORS.contains(name) && !name.equals("output.weight")) {
                // a file may have three matrices in place of one
                KvernException e = refused(good.withoutTensor(name), name.replace("attn_qkv", "attn_q"));
                assertTrue(e instanceof ModelFormatException && e.getMessage().contains("found none of that name"), e::toString);
            }
            if (!kinds.add(name.replaceAll("\\d+", "N"))) continue;
            ModelSheet.Item item = good.tensors().get(name);
            for (int d = 0; d < 4; d++) {
                for (int change : new int[] {-1, 1, 2}) {
                    List<Long> shape = new ArrayList<>(item.shape());
                    while (shape.size() <= d) shape.add(1L);
                    long unit = d == 0 ? item.type().blockLength() : 1;
                    long extent = change == 2 ? 2 * shape.get(d) : shape.get(d) + change * unit;
                    if (extent < 1) continue;
                    shape.set(d, extent);
                    refused(good.withTensor(name, item.as(item.type(), shape)), name.equals("token_embd.weight") ? "" : name);
                }
            }
            List<Long> turned = item.shape().reversed();
            if (!turned.equals(item.shape()) && turned.getFirst() % item.type().blockLength() == 0)
                refused(good.withTensor(name, item.as(item.type(), turned)), name.equals("token_embd.weight") ? "" : name);
            for (TensorType type : List.of(TensorType.I8, TensorType.I16, TensorType.I32, TensorType.I64, TensorType.F64, TensorType.Q8_1,
                    TensorType.Q8_K)) {
                if (item.shape().getFirst() % type.blockLength() == 0) refused(good.withTensor(name, item.as(type, item.shape())), name);
            }
            refused(good.withTensor(name + ".more", item), name + ".more");
        }
    }

    /// A required key that is not there is said not to be there, whatever its absence would be read as.
    private void missing(ModelSheet good, String key) throws IOException {
        KvernException e = refused(good.without(key), key);
        assertTrue(e instanceof ModelFormatException && e.getMessage().contains("found no such key"), () -> key + " is absent: " + e);
    }

    /// A key taken out, of which it is not said here whether it is required: a model that computes, or the key is named as missing, or
    /// something else does not fit any more.
    private void without(ModelSheet good, String key) throws IOException {
        Path path = good.without(key).write(folder.resolve("m.gguf"));
        try (Model model = Model.load(path, options())) {
            compute(model, "without " + key);
        } catch (ModelFormatException | UnsupportedModelException e) {
            checkLine(e, path, "");
            boolean named = e.getMessage().startsWith(path + ": key " + key + ": ");
            assertTrue(!named || e.getMessage().contains("found no such key"), () -> key + " is absent: " + e);
        }
    }

    /// @param named what the message must name
    private KvernException refused(ModelSheet sheet, String named) throws IOException {
        Path path = sheet.write(folder.resolve("m.gguf"));
        long before = allocated();
        try (Model model = Model.load(path, options())) {
            throw new AssertionError(
                    "not refused, although it is wrong: " + named + ", " + sheet.metadata() + "; " + model.info().architecture());
        } catch (ModelFormatException | UnsupportedModelException e) {
            checkLine(e, path, named);
            long bytes = allocated() - before;
            assertTrue(bytes < (32 << 20) + 16 * path.toFile().length(), () -> bytes + " bytes for: " + e.getMessage());
            return e;
        }
    }

    /// Bytes that this thread has allocated on the heap.
    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    /// Refused, or a model that computes numbers.
    private void either(ModelSheet sheet, String what) throws IOException {
        Path path = sheet.write(folder.resolve("m.gguf"));
        try (Model model = Model.load(path, options())) {
            compute(model, what);
        } catch (ModelFormatException | UnsupportedModelException e) {
            checkLine(e, path, "");
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    private void runs(ModelSheet sheet, String what) throws IOException {
        try (Model model = Model.load(sheet.write(folder.resolve("m.gguf")), options())) {
            compute(model, what);
        }
    }

    private static void compute(Model model, String what) {
        float[] logits = model.score(new int[] {1, 2, 3}, new int[] {2})[0];
        assertEquals(model.info().vocabulary(), logits.length);
        for (float logit : logits) assertTrue(Float.isFinite(logit), () -> what + ": a logit is " + logit);
    }

    private static ModelOptions options() {
        return ModelOptions.defaults().threads(1).microBatch(16);
    }

    private static void checkLine(KvernException e, Path path, String named) {
        String message = String.valueOf(e.getMessage());
        boolean fine = message.startsWith(path + ": ") && message.contains(named) && message.length() < 1000
                && message.codePoints().noneMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT);
        assertTrue(fine, () -> "not one short line that begins with the file and names " + named + ": " + message);
    }
}
