package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.GroupedAttention;
import io.github.kvern.engine.layer.GroupedAttention.Biases;
import io.github.kvern.engine.layer.GroupedAttention.Manner;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.Visible;

/// `qwen2` (Qwen 2 and 2.5): as a dense Llama, with biases on queries, keys and values, and pairs half a head apart.
final class Qwen2 {
    private Qwen2() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Rope rope = a.rope(true);
        for (int i = 0; i < a.parameters().layers(); i++) {
            GroupedAttention attention = a.attention(i, rope, Manner.PLAIN.biased(Biases.INPUTS), Visible.ALL);
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "ffn_norm.weight"), a.dense(i));
        }
        return a.decoder(rope);
    }
}
