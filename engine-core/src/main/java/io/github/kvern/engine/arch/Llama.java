package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.GroupedAttention;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.Visible;

/// `llama`: the dense Llamas and whatever is built like them, and with experts (Mixtral).
final class Llama {
    private Llama() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.requireExpertsOfRouter();
        a.keys().expect("expert_gating_func", 1);
        Rope rope = a.rope(false);
        for (int i = 0; i < p.layers(); i++) {
            GroupedAttention attention = a.attention(i, rope, GroupedAttention.Manner.PLAIN, Visible.ALL);
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "ffn_norm.weight"),
                    a.denseOrMixture(i, 0));
        }
        return a.decoder(rope);
    }
}
