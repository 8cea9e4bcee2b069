package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Ffn;
import io.github.kvern.engine.layer.GroupedAttention.Biases;
import io.github.kvern.engine.layer.GroupedAttention.HeadNorm;
import io.github.kvern.engine.layer.GroupedAttention.Manner;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.RouterKeys;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kvcache.Visible;
import io.github.kvern.moe.RouterSpec;
import java.util.Arrays;
import java.util.Optional;

/// `glm4moe`: GLM 4.5 and 4.6, large and Air. Biases and, in the large ones, norms on queries and keys, of which a part is rotated;
/// leading dense layers, then mixtures with a shared expert, whose router is a sigmoid with a bias for choosing. The norm before the
/// feed-forward part is the one that the file calls `post_attention_norm`.
final class Glm4Moe {
    private static final String SECTIONS = "rope.dimension_sections";

    private Glm4Moe() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        Parameters.Reader r = a.keys();
        r.metadata().findInts(p.prefix() + SECTIONS).filter(s -> Arrays.stream(s).anyMatch(n -> n != 0)).ifPresent(s -> {
            throw new UnsupportedModelException(file.paths().getFirst() + ": key " + p.prefix() + SECTIONS
                    + ": positions in space and time are not supported; expected none, found " + Arrays.toString(s));
        });
        if (p.experts() == 0) throw r.wrong("expert_count", "1 or more", "0");
        int layers = a.withoutGuessing();
        int dense = r.number("leading_dense_block_count", 0, 0, p.layers());
        int inner = r.number("expert_feed_forward_length", 1, 1 << 24), shared = RouterKeys.sharedWidth(r, inner);
        RouterSpec router = RouterKeys.read(p, r, RouterSpec.Gate.SIGMOID);
        Rope rope = a.rope(true);
        for (int i = 0; i < layers; i++) {
            Manner manner = Manner.PLAIN;
            if (has(w, i, "attn_q_norm.weight", "attn_k_norm.weight")) manner = manner.norms(HeadNorm.BEFORE_ROPE);
            if (has(w, i, "attn_q.bias", "attn_k.bias", "attn_v.bias")) manner = manner.biased(Biases.INPUTS);
            Ffn ffn = i < dense ? a.dense(i)
                    : a.mixture(i, router, inner, shared, Optional.of(w.vector("blk." + i + ".exp_probs_b.bias", p.experts())));
            a.layer(a.norm(i, "attn_norm.weight"), a.attention(i, rope, manner, Visible.ALL), a.norm(i, "post_attention_norm.weight"), ffn);
        }
        return a.decoder(rope);
    }

    /// Whether a layer has one of these, and so must have all.
    private static boolean has(Weights w, int layer, String... names) {
        return Arrays.stream(names).anyMatch(name -> w.has("blk." + layer + "." + name));
    }
}
