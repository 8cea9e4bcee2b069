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
import io.github.kvern.kernels.GatedUnit;
import io.github.kvern.kvcache.Visible;
import java.util.List;
import java.util.Optional;

/// `gemma3`: scaled embeddings, norms before and after each half of a layer, GELU, and five layers with a window and a rope of their
/// own for each one that sees everything.
final class Gemma3 {
    /// If the file does not say it: every so many layers one sees everything.
    private static final int GLOBAL_STEP = 6;
    /// If the file does not say it: the base of the rope of layers with a window.
    private static final float LOCAL_BASE = 10_000;
    /// The largest of the family, known by its layers, divides by the root of another number than the head size.
    private static final int LARGEST_LAYERS = 62;

    private Gemma3() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.keys().expect("final_logit_softcapping", 0);
        int seen = a.keys().number("attention.sliding_window", 0, Integer.MAX_VALUE);
        int step = a.keys().number("attention.sliding_window_pattern", GLOBAL_STEP, 1, 4096);
        Manner manner = Manner.PLAIN.norms(HeadNorm.BEFORE_ROPE);
        int share = p.width() / p.heads()[0]; // of the stream, for each head
        if (p.layers() == LARGEST_LAYERS) manner = manner.scaled((float) (1 / Math.sqrt(share)));
        Rope global = a.rope(true), local = Rope.readPlainLocal(a.keys(), global, LOCAL_BASE);
        for (int i = 0; i < p.layers(); i++) {
            boolean seesAll = seen == 0 || (i + 1) % step == 0;
            GroupedAttention attention = a.attention(i, seesAll ? global : local, manner, seesAll ? Visible.ALL : Visible.window(seen),
                    Optional.of(a.norm(i, "post_attention_norm.weight")));
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "ffn_norm.weight"),
                    a.dense(i, GatedUnit.GE_GLU, Optional.of(a.norm(i, "post_ffw_norm.weight"))));
        }
        return a.decoder(List.of(global, local), (float) Math.sqrt(p.width()));
    }
}
