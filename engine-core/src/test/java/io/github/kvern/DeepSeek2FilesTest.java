package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// `deepseek2` files in what only they have: latent attention, routers with groups and biases, layers that guess.
class DeepSeek2FilesTest {
    private static final String P = "deepseek2.";
    private static final int[] TEXT = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};

    @TempDir
    private Path folder;

    /// Those without groups whose queries have a rank: what the tests change.
    static Stream<Fixture> models() {
        return Fixture.of("deepseek2").stream().filter(f -> !f.model().matches("deepseek2-(groups|fifths|lite)"));
    }

    private static boolean split(ModelSheet sheet) {
        return sheet.tensors().containsKey("blk.0.attn_k_b.weight");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void wrongNumbersAreRefused(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        List<String> required = new ArrayList<>(List.of("attention.q_lora_rank", "attention.kv_lora_rank", "rope.dimension_count",
                "expert_feed_forward_length", "expert_shared_count", "expert_count", "expert_used_count"));
        if (split(good)) required.addAll(List.of("attention.key_length_mla", "attention.value_length_mla"));
        for (String key : required) {
            missing(good.without(P + key), P + key);
            for (long n : new long[] {-1, 1 << 25, Integer.MAX_VALUE, 1L << 40}) refused(good.withInt(P + key, n), P + key);
            int now = good.metadata().requireInt(P + key);
            if (!key.equals("expert_used_count") && !key.equals("rope.dimension_count"))
                for (int n : new int[] {now + 1, 2 * now, now - 1}) refused(good.withInt(P + key, n), "");
        }
        if (split(good))
            missing(good.without(P + "attention.key_length_mla").without(P + "attention.value_length_mla"), P + "attention.key_length_mla");
        if (split(good)) missing(good.without(P + "attention.head_count_kv"), P + "attention.head_count_kv");
        refused(good.withInt(P + "rope.dimension_count", 64 + 32), P);
        refused(good.withInt(P + "attention.head_count_kv", 2), P + "attention.head_count_kv");
        refused(good.withInt(P + "leading_dense_block_count", 99), P + "leading_dense_block_count");
        refused(good.withInt(P + "leading_dense_block_count", 0), "blk.0.ffn_");
        for (long n : new long[] {-1, 3, 4, 99}) refused(good.withInt(P + "expert_gating_func", n), P + "expert_gating_func");
        for (float x : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY, 1e30f}) {
            refused(good.with(P + "expert_weights_scale", MetadataType.FLOAT32, x), P + "expert_weights_scale");
            refused(good.with(P + "rope.scaling.yarn_log_multiplier", MetadataType.FLOAT32, x), P + "rope.scaling.yarn_log_multiplier");
        }
        refused(good.with(P + "rope.scaling.attn_factor", MetadataType.FLOAT32, 1e30f), P + "rope.scaling.attn_factor");
        refused(good.with(P + "attention.temperature_scale", MetadataType.FLOAT32, 0.1f), P + "attention.temperature_scale");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void groups(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        String groups = P + "expert_group_count", best = P + "expert_group_used_count";
        for (long n : new long[] {-1, 3, 65, 1 << 30}) refused(good.withInt(groups, n).withInt(best, 1), groups);
        for (long n : new long[] {-1, 0, 3}) refused(good.withInt(groups, 2).withInt(best, n), best);
        missing(good.withInt(groups, 2).without(best), best);
        int experts = good.metadata().requireInt(P + "expert_count");
        refused(good.withInt(groups, experts).withInt(best, 1), best); // one expert is less than are used
        float[][] plain = logits(good), same = logits(good.withInt(groups, 2).withInt(best, 2));
        assertArrayEquals(plain, same, "all groups are none");
        assertFalse(Arrays.deepEquals(plain, logits(good.withInt(groups, 2).withInt(best, 1))), "half of the experts make a difference");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void wrongTensorsAreRefused(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        int experts = good.metadata().requireInt(P + "expert_count");
        for (String kind : List.of("gate", "up", "down")) {
            String name = "blk.1.ffn_" + kind + "_exps.weight";
            ModelSheet.Item item = good.tensors().get(name);
            for (long n : new long[] {experts - 1, experts + 1, 1}) {
                List<Long> shape = new ArrayList<>(item.shape());
                shape.set(2, n);
                refused(good.withTensor(name, item.as(item.type(), shape)), name);
            }
        }
        for (long n : new long[] {1, experts - 1, experts + 1}) {
            ModelSheet.Item bias = new ModelSheet.Item(TensorType.F32, List.of(n), new byte[(int) (4 * n)]);
            refused(good.withTensor("blk.1.exp_probs_b.bias", bias), "blk.1.exp_probs_b.bias");
        }
        for (String other : split(good) ? List.of("attn_kv_b", "attn_q") : List.of("attn_k_b", "attn_v_b", "attn_q")) {
            ModelSheet.Item item = new ModelSheet.Item(TensorType.F32, List.of(8L, 8L), new byte[256]);
            refused(good.withTensor("blk.0." + other + ".weight", item), "blk.0." + other + ".weight");
        }
    }

    /// A layer that guesses further tokens is counted and has weights; the next token's logits are the same without it.
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void guessingLayersArePassedOver(Fixture f) throws IOException {
        ModelSheet good = ModelSheet.read(f.path());
        int layers = good.metadata().requireInt(P + "block_count");
        ModelSheet more = good.withInt(P + "block_count", layers + 1).withInt(P + "nextn_predict_layers", 1);
        String last = "blk." + layers + ".";
        for (Map.Entry<String, ModelSheet.Item> e : good.tensors().entrySet())
            if (e.getKey().startsWith("blk.1.")) more = more.withTensor(last + e.getKey().substring(6), e.getValue());
        more = more.withTensor(last + "nextn.eh_proj.weight", good.tensors().get("output_norm.weight"));
        assertArrayEquals(logits(good), logits(more));
        refused(more.withInt(P + "nextn_predict_layers", 0), last);
        refused(more.withInt(P + "nextn_predict_layers", layers + 1), P + "nextn_predict_layers");
    }

    private float[][] logits(ModelSheet sheet) throws IOException {
        try (Model model = Model.load(sheet.write(folder.resolve("m.gguf")), options())) {
            float[][] logits = model.score(TEXT, new int[] {0, 2, 3, 4, 5, 6, 7, 8, 9, TEXT.length - 1});
            for (float[] row : logits) for (float x : row) assertTrue(Float.isFinite(x));
            return logits;
        }
    }

    /// A required key that is absent is said to be.
    private void missing(ModelSheet sheet, String key) throws IOException {
        assertTrue(refused(sheet, key).contains("found no such key"), key);
    }

    private String refused(ModelSheet sheet, String named) throws IOException {
        Path path = sheet.write(folder.resolve("m.gguf"));
        KvernException e = assertThrows(KvernException.class, () -> Model.load(path, options()).close(), named);
        String message = String.valueOf(e.getMessage());
        assertTrue(message.startsWith(path + ": ") && message.contains(named) && message.lines().count() == 1, message);
        return message;
    }

    private static ModelOptions options() {
        return ModelOptions.defaults().precision(Precision.EXACT).threads(1);
    }
}
