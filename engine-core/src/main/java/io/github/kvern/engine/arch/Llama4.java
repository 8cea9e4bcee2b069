package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.CacheGroups;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.DenseFfn;
import io.github.kvern.engine.layer.Ffn;
import io.github.kvern.engine.layer.GroupedAttention;
import io.github.kvern.engine.layer.MoeFfn;
import io.github.kvern.engine.layer.Norm;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Rope;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.moe.Experts;
import io.github.kvern.moe.MoeLayer;
import io.github.kvern.moe.RouterSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
        Parameters p = Parameters.read(file);
        Parameters.Reader r = p.reader(file);
        if (p.experts() == 0) throw r.wrong("expert_count", "1 or more", "0");
        int step = r.number("interleave_moe_layer_step", 0, 4096);
        int expertInner = r.number("expert_feed_forward_length", 1, 1 << 24);
        // 0 says that the model was made without chunks, and then all layers rotate; any other value means the chunks of 8,192
        boolean chunked = r.number("attention.sliding_window", CHUNK, 0, Integer.MAX_VALUE) != 0;
        Rope rope = Rope.read(p, r, w, false);
        CacheGroups groups = new CacheGroups(cache);
        List<Decoder.Layer> layers = new ArrayList<>();
        for (int i = 0; i < p.layers(); i++) {
            String b = "blk." + i + ".";
            boolean rotates = !chunked || (i + 1) % NO_ROPE_STEP != 0;
            boolean mixes = step > 0 && (i + 1) % step == 0;
            CacheGroups.Place place = groups.add(p.keyHeads()[i], p.headSize(), p.valueSize(), chunked && rotates ? CHUNK : 0);
            var spec = new GroupedAttention.Spec(p.heads()[i], p.keyHeads()[i], p.headSize(), p.valueSize(), rotates,
                    p.experts() != EXPERTS_WITHOUT_NORM, !rotates, p.eps(), place.group(), place.layer());
            Norm attentionNorm = new Norm(w.vector(b + "attn_norm.weight", p.width()), p.eps());
            GroupedAttention attention = new GroupedAttention(w, b, p.width(), spec, rope);
            Norm ffnNorm = new Norm(w.vector(b + "ffn_norm.weight", p.width()), p.eps());
            Ffn ffn = mixes ? mixture(w, b, p, expertInner) : new DenseFfn(w, b, p.width(), p.inner()[i]);
            layers.add(new Decoder.Layer(attentionNorm, attention, ffnNorm, ffn));
        }
        Matrix embedding = w.matrix("token_embd.weight", p.vocabulary(), p.width());
        Matrix output = w.findMatrix("output.weight", p.vocabulary(), p.width()).orElse(embedding);
        Norm norm = new Norm(w.vector("output_norm.weight", p.width()), p.eps());
        return new Decoder(embedding, rope, layers, norm, output, groups.layouts());
    }

    /// A sigmoid of each chosen score, on the expert's input; and the shared expert.
    private static Ffn mixture(Weights w, String b, Parameters p, int inner) {
        int e = p.experts(), d = p.width();
        RouterSpec spec = new RouterSpec(e, p.expertsUsed(), RouterSpec.Gate.SIGMOID, false, 1, 1, 1, true);
        Experts experts = new Experts(w.experts(b + "ffn_gate_exps.weight", inner, d, e), w.experts(b + "ffn_up_exps.weight", inner, d, e),
                w.experts(b + "ffn_down_exps.weight", d, inner, e));
        Experts shared = new Experts(w.matrix(b + "ffn_gate_shexp.weight", inner, d), w.matrix(b + "ffn_up_shexp.weight", inner, d),
                w.matrix(b + "ffn_down_shexp.weight", d, inner));
        return new MoeFfn(
                new MoeLayer(spec, w.router(b + "ffn_gate_inp.weight", e, d), Optional.empty(), experts, Optional.of(shared), w.kernels()));
    }
}
