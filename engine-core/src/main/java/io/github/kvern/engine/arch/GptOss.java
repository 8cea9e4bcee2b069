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
import java.util.List;

/// `gpt-oss`: biases everywhere, attention sinks, a window in every second layer from the first on (or as the file says), and mixtures with a softmax over
/// the chosen scores only. The norm before the experts is the one that the file calls `post_attention_norm`.
final class GptOss {
    private GptOss() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.requireExperts();
        int inner = a.keys().number("expert_feed_forward_length", 1, 1 << 24);
        Visible window = Visible.window(a.keys().number("attention.sliding_window", 1, Integer.MAX_VALUE));
        RouterSpec router = new RouterSpec(p.experts(), p.expertsUsed(), RouterSpec.Gate.SOFTMAX_OF_CHOSEN, false, 1, 1, 1, false);
        a.keys().expect("expert_gating_func", 3);
        int step = a.keys().number("attention.sliding_window_pattern", 2, 1, 4096);
        Rope global = a.rope(true), local = Rope.readLocal(p, a.keys(), w, global);
        for (int i = 0; i < p.layers(); i++) {
            boolean seesAll = (i + 1) % step == 0;
            GroupedAttention attention = a.attention(i, seesAll ? global : local, Manner.PLAIN.biased(Biases.ALL).withSinks(),
                    seesAll ? Visible.ALL : window);
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "post_attention_norm.weight"),
                    a.biasedMixture(i, router, inner, GatedUnit.CLAMPED_SWI_GLU));
        }
        return a.decoder(List.of(global, local), 1);
    }
}
