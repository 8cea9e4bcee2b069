package io.github.kvern;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Models of a few kilobytes that compute.
final class TinyModels {
    private static final int WIDTH = 32;
    private static final int VOCABULARY = 20;

    private final Map<String, ModelSheet.Item> tensors = new LinkedHashMap<>();
    private final Random random = new Random(1);
    private Metadata metadata = Vocabularies.sentencePieces(false,
            List.of("a", "b", "c", "d", "e", "_a", "ab", "bc", "cd", "de", "_", "f", "g", "_b", "h", "i", "j"));

    private TinyModels() {
    }

    /// A dense `llama`, one with experts, and a `llama4` of a dense layer and a mixture.
    static List<ModelSheet> all() {
        return List.of(new TinyModels().make("llama", 0), new TinyModels().make("llama", 4), new TinyModels().make("llama4", 4));
    }

    private ModelSheet make(String architecture, int experts) {
        boolean is4 = architecture.equals("llama4");
        int layers = is4 ? 2 : 1;
        put("general.architecture", MetadataType.STRING, architecture);
        for (Map.Entry<String, Integer> e : Map
                .of("block_count", layers, "context_length", 64, "embedding_length", WIDTH, "feed_forward_length", 64,
                        "attention.head_count", 4, "attention.head_count_kv", 2, "vocab_size", VOCABULARY)
                .entrySet())
            put(architecture + "." + e.getKey(), MetadataType.UINT32, e.getValue());
        put(architecture + ".attention.layer_norm_rms_epsilon", MetadataType.FLOAT32, 1e-5f);
        if (experts > 0) {
            put(architecture + ".expert_count", MetadataType.UINT32, experts);
            put(architecture + ".expert_used_count", MetadataType.UINT32, is4 ? 1 : 2);
        }
        if (is4) {
            put("llama4.interleave_moe_layer_step", MetadataType.UINT32, 2);
            put("llama4.expert_feed_forward_length", MetadataType.UINT32, 32);
        }
        add("token_embd.weight", TensorType.Q8_0, WIDTH, VOCABULARY);
        add("output.weight", TensorType.Q4_0, WIDTH, VOCABULARY);
        add("output_norm.weight", TensorType.F32, WIDTH);
        for (int i = 0; i < layers; i++) {
            String b = "blk." + i + ".";
            add(b + "attn_norm.weight", TensorType.F32, WIDTH);
            add(b + "ffn_norm.weight", TensorType.F32, WIDTH);
            add(b + "attn_q.weight", TensorType.Q4_0, WIDTH, 32);
            add(b + "attn_k.weight", TensorType.F16, WIDTH, 16);
            add(b + "attn_v.weight", TensorType.BF16, WIDTH, 16);
            add(b + "attn_output.weight", TensorType.Q8_0, 32, WIDTH);
            boolean mixes = experts > 0 && (!is4 || i == 1);
            int inner = is4 && mixes ? 32 : 64;
            if (mixes) {
                add(b + "ffn_gate_inp.weight", TensorType.F32, WIDTH, experts);
                add(b + "ffn_gate_exps.weight", TensorType.Q4_0, WIDTH, inner, experts);
                add(b + "ffn_up_exps.weight", TensorType.Q4_0, WIDTH, inner, experts);
                add(b + "ffn_down_exps.weight", TensorType.IQ4_NL, inner, WIDTH, experts);
            }
            if (is4 && mixes || !mixes) {
                String kind = mixes ? "_shexp" : "";
                add(b + "ffn_gate" + kind + ".weight", TensorType.Q4_0, WIDTH, inner);
                add(b + "ffn_up" + kind + ".weight", TensorType.Q5_0, WIDTH, inner);
                add(b + "ffn_down" + kind + ".weight", TensorType.Q8_0, inner, WIDTH);
            }
        }
        return new ModelSheet(metadata, tensors);
    }

    private void put(String key, MetadataType type, Object value) {
        metadata = metadata.with(key, MetadataValue.of(type, value));
    }

    /// Random bytes, with small scales where a block begins.
    private void add(String name, TensorType type, long... shape) {
        long values = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        byte[] bytes = new byte[(int) (values / type.blockLength() * type.blockBytes())];
        random.nextBytes(bytes);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < bytes.length; at += type.blockBytes()) {
            float small = (float) (random.nextGaussian() / 10);
            switch (type) {
                case F32 -> buffer.putFloat(at, small);
                case BF16 -> buffer.putShort(at, (short) (Float.floatToRawIntBits(small) >>> 16));
                case F16 -> buffer.putShort(at, Float.floatToFloat16(small));
                default -> buffer.putShort(at, Float.floatToFloat16(small / 20));
            }
        }
        tensors.put(name, new ModelSheet.Item(type, Arrays.stream(shape).boxed().toList(), bytes));
    }
}
