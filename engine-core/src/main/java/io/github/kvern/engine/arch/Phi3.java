package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.GroupedAttention.Manner;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.Visible;

/// `phi3`: Phi 3 and 4, in the sizes without two sets of rope divisors (a file with `rope_factors_long` is refused). The layers of
/// [Llama] with rope by halves; one matrix for queries, keys and values, and one for gate and up.
///
/// A file's `attention.sliding_window` is not used, as it is not by others: converters wrote numbers there that the models do not have.
final class Phi3 {
    private Phi3() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.keys().number("attention.sliding_window", 0, 0, Integer.MAX_VALUE);
        Rope rope = a.rope(true);
        for (int i = 0; i < p.layers(); i++) {
            a.layer(a.norm(i, "attn_norm.weight"), a.attention(i, rope, Manner.PLAIN, Visible.ALL), a.norm(i, "ffn_norm.weight"),
                    a.mergedDense(i));
        }
        return a.decoder(rope);
    }
}
