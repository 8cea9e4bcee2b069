package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Assembly;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.GroupedAttention.Manner;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.PositionScale;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.Visible;

/// `mistral3`: Ministral 3 and its kin. The layers of [Llama]; queries are sharpened with every original context length, by as much as
/// the file says, and yarn's magnitude is divided by that of its multiplier: a multiplier of 1 leaves none.
final class Mistral3 {
    private Mistral3() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        Parameters.Reader r = a.keys();
        float strength = r.real("attention.temperature_scale", 0), stretch = r.real("rope.scaling.yarn_log_multiplier", 0);
        if (!(strength >= 0 && strength <= 100)) throw r.wrong("attention.temperature_scale", "0 (none) to 100", "" + strength);
        if (!(stretch >= 0 && stretch <= 100)) throw r.wrong("rope.scaling.yarn_log_multiplier", "0 to 100", "" + stretch);
        int original = r.number("rope.scaling.original_context_length", p.context(), 1, Integer.MAX_VALUE);
        r.expect("attention.temperature_length", original);
        r.expect("attention.scale", 0);
        float attention = r.real("rope.scaling.attn_factor", 1);
        Rope rope = a.rope(false);
        if (rope.yarnLog() != 0 && stretch != 0)
            rope = rope.magnitude((float) (attention * (1 + 0.1 * rope.yarnLog()) / (1 + 0.1 * stretch * rope.yarnLog())));
        Manner manner = Manner.PLAIN.scaledByPosition(new PositionScale(0, original, strength));
        for (int i = 0; i < p.layers(); i++)
            a.layer(a.norm(i, "attn_norm.weight"), a.attention(i, rope, manner, Visible.ALL), a.norm(i, "ffn_norm.weight"), a.dense(i));
        return a.decoder(rope);
    }
}
