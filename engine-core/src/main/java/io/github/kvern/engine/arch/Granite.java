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

/// `granite` and `granitemoe`: the layers of [Llama], with factors on embeddings, on what each half of a layer adds to the stream, on
/// scores and on logits; the mixtures may have a shared expert.
///
/// The factor `r` on what is added is not applied anywhere: the stream is kept divided by it. Then halves add what they are, embeddings
/// are divided by `r`, and only norms read the stream, which see the same direction: with `x = r y`,
/// `x / sqrt(mean(x^2) + eps) = y / sqrt(mean(y^2) + eps / r^2)`.
final class Granite {
    private Granite() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.requireExpertsOfRouter();
        Parameters.Reader r = a.keys();
        float added = factor(r, "residual_scale"), embedding = factor(r, "embedding_scale");
        r.metadata().requireFloat(p.prefix() + "logit_scale");
        a.streamDividedBy(added);
        a.logitsDividedBy(factor(r, "logit_scale"));
        boolean rotates = r.metadata().findBoolean(p.prefix() + "rope.scaling.finetuned").orElse(true);
        Manner manner = rotates ? Manner.PLAIN : Manner.PLAIN.withoutRope();
        if (r.real("attention.scale", 0) != 0) manner = manner.scaled(factor(r, "attention.scale"));
        int shared = r.number("expert_shared_feed_forward_length", 0, 0, 1 << 24);
        Rope rope = a.rope(false);
        for (int i = 0; i < p.layers(); i++) {
            a.layer(a.norm(i, "attn_norm.weight"), a.attention(i, rope, manner, Visible.ALL), a.norm(i, "ffn_norm.weight"),
                    a.denseOrMixture(i, shared));
        }
        return a.decoder(rope, embedding);
    }

    /// A factor; 1 when the file has none, or 0, which says the same.
    private static float factor(Parameters.Reader r, String key) {
        float f = r.real(key, 0);
        if (f == 0) return 1;
        if (!(f >= 1e-6f && f <= 1e6f)) throw r.wrong(key, "0 (none), or 1e-6 to 1e6", "" + f);
        return f;
    }
}
