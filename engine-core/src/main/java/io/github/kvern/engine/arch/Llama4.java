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

/// `llama4`: Scout and Maverick. Three of four layers rotate their queries and keys and see only their own aligned chunk of 8,192
/// positions; the fourth has no rope, sees everything, and scales its queries by position. A mixture layer sends each token to its
/// best experts, whose weight multiplies the expert's input, and to a shared one.
final class Llama4 {
    /// Not in the file: every so many layers one is without rope.
    private static final int NO_ROPE_STEP = 4;
    /// Not in the file: positions that a layer with rope sees together.
    private static final int CHUNK = 8192;
    /// Maverick, and only Maverick, has so many experts, and no norm on queries and keys; the file does not say it otherwise.
    private static final int EXPERTS_WITHOUT_NORM = 128;

    private Llama4() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Assembly a = new Assembly(file, w, cache);
        Parameters p = a.parameters();
        a.requireExperts();
        a.keys().expect("expert_gating_func", 2);
        int step = a.keys().number("interleave_moe_layer_step", 0, 4096);
        int inner = a.keys().number("expert_feed_forward_length", 1, 1 << 24);
        // 0 says that the model was made without chunks, and then all layers rotate; any other value means the chunks of 8,192
        boolean chunked = a.keys().number("attention.sliding_window", CHUNK, 0, Integer.MAX_VALUE) != 0;
        Manner rotating = Manner.PLAIN.norms(p.experts() == EXPERTS_WITHOUT_NORM ? HeadNorm.NONE : HeadNorm.AFTER_ROPE);
        // chosen by score; a sigmoid of each chosen one is on the expert's input
        RouterSpec router = new RouterSpec(p.experts(), p.expertsUsed(), RouterSpec.Gate.SIGMOID_OF_CHOSEN, false, 1, 1, 1, true);
        Rope rope = a.rope(false);
        for (int i = 0; i < p.layers(); i++) {
            boolean rotates = !chunked || (i + 1) % NO_ROPE_STEP != 0;
            boolean mixes = step > 0 && (i + 1) % step == 0;
            GroupedAttention attention = a.attention(i, rope, rotates ? rotating : Manner.SCALED_BY_POSITION,
                    chunked && rotates ? Visible.chunk(CHUNK) : Visible.ALL);
            a.layer(a.norm(i, "attn_norm.weight"), attention, a.norm(i, "ffn_norm.weight"),
                    mixes ? a.mixture(i, router, inner, inner) : a.dense(i));
        }
        return a.decoder(rope);
    }
}
