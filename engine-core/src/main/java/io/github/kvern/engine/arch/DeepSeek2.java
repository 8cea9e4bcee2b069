package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Ffn;
import io.github.kvern.engine.layer.LatentAttention;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.RouterKeys;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.moe.RouterSpec;

/// `deepseek2`: DeepSeek V2, V3 and R1, Kimi K2. Latent attention in every layer; the first layers are dense, the others mixtures with
/// a shared expert, whose router may choose with a bias, from the best groups only.
///
/// Files come in two forms: with `attn_k_b` and `attn_v_b`, and then metadata speaks of the latent space as of one key/value head; or
/// with both in one `attn_kv_b`, and metadata speaks of the heads themselves.
final class DeepSeek2 {
    private static final int MOST = 1 << 14; // of a head's sizes and of ranks

    private DeepSeek2() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        Parameters.Reader r = a.keys();
        if (r.real("attention.temperature_scale", 0) != 0)
            throw new UnsupportedModelException(file.paths().getFirst() + ": key " + p.prefix()
                    + "attention.temperature_scale: queries scaled by position are not supported for deepseek2; expected none");
        int layers = a.withoutGuessing();
        int dense = r.number("leading_dense_block_count", 0, 0, p.layers());
        int inner = r.number("expert_feed_forward_length", 1, 1 << 24), shared = RouterKeys.sharedWidth(r, inner);
        if (dense < layers) a.requireExperts();
        Rope rope = a.rope(false);
        float attention = r.real("rope.scaling.attn_factor", 1), stretch = r.real("rope.scaling.yarn_log_multiplier", 0);
        if (!(stretch >= 0 && stretch <= 100)) throw r.wrong("rope.scaling.yarn_log_multiplier", "0 to 100", "" + stretch);
        // yarn sharpens scores; what the multiplier is for is then done by the scale alone, else by cosines and sines as well
        double sharpened = attention * (1 + (stretch > 0 ? stretch : 0.1) * rope.yarnLog());
        if (stretch > 0) rope = rope.magnitude(attention);
        for (int i = 0; i < layers; i++) {
            LatentAttention.Shape shape = shape(w, p, r, i);
            float scale = (float) (sharpened * sharpened / Math.sqrt((double) shape.plainSize() + shape.ropeSize()));
            if (!(scale > 0 && scale < Float.POSITIVE_INFINITY))
                throw r.wrong("rope.scaling.attn_factor", "a factor that leaves scores finite", "" + attention);
            Ffn ffn = i < dense ? a.dense(i)
                    : a.mixture(i, RouterKeys.read(p, r, RouterSpec.Gate.SOFTMAX), inner, shared, a.selectionBias(i));
            a.layer(a.norm(i, "attn_norm.weight"), a.latentAttention(i, rope, shape, scale), a.norm(i, "ffn_norm.weight"), ffn);
        }
        return a.decoder(rope);
    }

    private static LatentAttention.Shape shape(Weights w, Parameters p, Parameters.Reader r, int layer) {
        int heads = p.heads()[layer], keyHeads = p.keyHeads()[layer];
        String query = "blk." + layer + ".attn_q";
        boolean once = w.has(query + ".weight") || !w.has(query + "_a.weight") && !r.has("attention.q_lora_rank");
        int queryRank = once ? 0 : r.number("attention.q_lora_rank", 1, MOST);
        int rank = r.number("attention.kv_lora_rank", 1, MOST), ropeSize = r.number("rope.dimension_count", 2, MOST);
        boolean split = r.has("attention.key_length_mla") || r.has("attention.value_length_mla")
                || w.has("blk." + layer + ".attn_k_b.weight") && !w.has("blk." + layer + ".attn_kv_b.weight");
        int size = split ? r.number("attention.key_length_mla", 1, MOST) : p.headSize();
        int valueSize = split ? r.number("attention.value_length_mla", 1, MOST) : p.valueSize();
        if (keyHeads != (split ? 1 : heads))
            throw r.wrong("attention.head_count_kv", split ? "1, for all heads share the latent vector" : "all " + heads + " heads",
                    "" + keyHeads);
        if (split && p.headSize() != rank + ropeSize)
            throw r.wrong("attention.key_length", "kv_lora_rank and rope.dimension_count together, " + (rank + ropeSize),
                    "" + p.headSize());
        if (split && p.valueSize() != rank) throw r.wrong("attention.value_length", "kv_lora_rank, " + rank, "" + p.valueSize());
        if (ropeSize >= size) throw r.wrong("rope.dimension_count", "less than a head's key of " + size, "" + ropeSize);
        if ((long) heads * Math.max(Math.max(size, valueSize), rank + ropeSize) > 1 << 24)
            throw r.wrong("attention.head_count", "heads of at most " + (1 << 24) + " values together", "" + heads);
        return new LatentAttention.Shape(heads, queryRank, rank, size - ropeSize, ropeSize, valueSize, split);
    }
}
