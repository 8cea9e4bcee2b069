package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.GroupedAttention;
import io.github.kvern.engine.layer.GroupedAttention.HeadNorm;
import io.github.kvern.engine.layer.GroupedAttention.Manner;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.Visible;
import io.github.kvern.moe.RouterSpec;

/// `qwen3moe`: the attention of [Qwen3], and in every layer a mixture without a shared expert; the chosen weights are divided by
/// their sum.
final class Qwen3Moe {
    private Qwen3Moe() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.requireExperts();
        a.keys().expect("expert_gating_func", 1);
        int inner = a.keys().number("expert_feed_forward_length", 1, 1 << 24);
        RouterSpec router = a.softmaxRouter();
        Rope rope = a.rope(true);
        for (int i = 0; i < p.layers(); i++) {
            GroupedAttention attention = a.attention(i, rope, Manner.PLAIN.norms(HeadNorm.BEFORE_ROPE), Visible.ALL);
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "ffn_norm.weight"), a.mixture(i, router, inner, 0));
        }
        return a.decoder(rope);
    }
}
