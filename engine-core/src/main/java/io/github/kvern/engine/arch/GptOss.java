package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.GroupedAttention;
import io.github.kvern.engine.layer.GroupedAttention.Biases;
import io.github.kvern.engine.layer.GroupedAttention.Manner;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.GatedUnit;
import io.github.kvern.kvcache.Visible;
import io.github.kvern.moe.RouterSpec;

/// `gpt-oss`: biases everywhere, attention sinks, a window in every second layer from the first on, and mixtures with a softmax over
/// the chosen scores only. The norm before the experts is the one that the file calls `post_attention_norm`.
final class GptOss {
    private GptOss() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        if (p.experts() == 0) throw a.keys().wrong("expert_count", "1 or more", "0");
        int inner = a.keys().number("expert_feed_forward_length", 1, 1 << 24);
        Visible window = Visible.window(a.keys().number("attention.sliding_window", 1, Integer.MAX_VALUE));
        RouterSpec router = new RouterSpec(p.experts(), p.expertsUsed(), RouterSpec.Gate.SOFTMAX_OF_CHOSEN, false, 1, 1, 1, false);
        Rope rope = a.rope(true);
        for (int i = 0; i < p.layers(); i++) {
            GroupedAttention attention = a.attention(i, rope, Manner.PLAIN.biased(Biases.ALL).withSinks(),
                    i % 2 == 0 ? window : Visible.ALL);
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "post_attention_norm.weight"),
                    a.biasedMixture(i, router, inner, GatedUnit.CLAMPED_SWI_GLU));
        }
        return a.decoder(rope);
    }
}
