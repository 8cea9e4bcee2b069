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

/// `phi3`: Phi 3, 3.5 and 4. The layers of [Llama] with rope by halves; one matrix for queries, keys and values, and one for gate and up.
///
/// Models that were stretched have two sets of rope divisors: one for contexts up to that of their training, one for longer ones. Which
/// of them is used follows from the model's own context length, and not from a conversation's: one model may serve conversations of
/// several lengths, and a text is to be continued in the same way in all of them.
///
/// A file's `attention.sliding_window` is not used, as it is not by others: converters wrote numbers there that the models do not have.
final class Phi3 {
    private static final String LONG = "rope_factors_long.weight", SHORT = "rope_factors_short.weight";

    private Phi3() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.keys().number("attention.sliding_window", 0, 0, Integer.MAX_VALUE);
        Rope rope = rope(a, w);
        for (int i = 0; i < p.layers(); i++) {
            a.layer(a.norm(i, "attn_norm.weight"), a.attention(i, rope, Manner.PLAIN, Visible.ALL), a.norm(i, "ffn_norm.weight"),
                    a.mergedDense(i));
        }
        return a.decoder(rope);
    }

    private static Rope rope(Assembly a, Weights w) {
        if (!w.has(LONG) && !w.has(SHORT)) return a.rope(true);
        int context = a.parameters().context();
        boolean stretched = context > a.keys().number("rope.scaling.original_context_length", context, 1, Integer.MAX_VALUE);
        Rope ofLong = a.rope(true, LONG), ofShort = a.rope(true, SHORT); // what is not used has to be right, too
        return stretched ? ofLong : ofShort;
    }
}
