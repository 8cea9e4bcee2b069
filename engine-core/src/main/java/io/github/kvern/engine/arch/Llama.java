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

/// `llama`: the dense Llamas and whatever is built like them, and with experts (Mixtral).
final class Llama {
    private Llama() {
    }

    /// Reads parameters and weights. Forward is the common [Decoder]'s.
    static Decoder load(GgufFile file, Weights w, TensorType cache) {
        Parameters p = Parameters.read(file);
        Rope rope = Rope.read(p, p.reader(file), w, false);
        CacheGroups groups = new CacheGroups(cache);
        List<Decoder.Layer> layers = new ArrayList<>();
        for (int i = 0; i < p.layers(); i++) {
            String b = "blk." + i + ".";
            CacheGroups.Place place = groups.add(p.keyHeads()[i], p.headSize(), p.valueSize(), 0);
            var spec = new GroupedAttention.Spec(p.heads()[i], p.keyHeads()[i], p.headSize(), p.valueSize(), true, false, false, p.eps(),
                    place.group(), place.layer());
            Norm attentionNorm = new Norm(w.vector(b + "attn_norm.weight", p.width()), p.eps());
            GroupedAttention attention = new GroupedAttention(w, b, p.width(), spec, rope);
            Norm ffnNorm = new Norm(w.vector(b + "ffn_norm.weight", p.width()), p.eps());
            Ffn ffn = p.experts() > 0 ? mixture(w, b, p, p.inner()[i]) : new DenseFfn(w, b, p.width(), p.inner()[i]);
            layers.add(new Decoder.Layer(attentionNorm, attention, ffnNorm, ffn));
        }
        Matrix embedding = w.matrix("token_embd.weight", p.vocabulary(), p.width());
        Matrix output = w.findMatrix("output.weight", p.vocabulary(), p.width()).orElse(embedding);
        Norm norm = new Norm(w.vector("output_norm.weight", p.width()), p.eps());
        return new Decoder(embedding, rope, layers, norm, output, groups.layouts());
    }

    /// Softmax over all experts, the chosen weights divided by their sum.
    private static Ffn mixture(Weights w, String b, Parameters p, int inner) {
        int e = p.experts(), d = p.width();
        RouterSpec spec = new RouterSpec(e, p.expertsUsed(), RouterSpec.Gate.SOFTMAX, true, 1, 1, 1, false);
        Experts experts = new Experts(w.experts(b + "ffn_gate_exps.weight", inner, d, e), w.experts(b + "ffn_up_exps.weight", inner, d, e),
                w.experts(b + "ffn_down_exps.weight", d, inner, e));
        return new MoeFfn(
                new MoeLayer(spec, w.router(b + "ffn_gate_inp.weight", e, d), Optional.empty(), experts, Optional.empty(), w.kernels()));
    }
}
