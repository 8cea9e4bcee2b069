package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.GatedUnit;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kvcache.Visible;
import io.github.kvern.moe.Experts;
import io.github.kvern.moe.MoeLayer;
import io.github.kvern.moe.RouterSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Puts a family's decoder together out of the parts that families share, under the tensor names that they share. A family says
/// which parts its layers have; nothing here knows a family.
public final class Assembly {
    private final Weights w;
    private final Parameters p;
    private final Parameters.Reader keys;
    private final CacheGroups groups;
    private final List<Decoder.Layer> layers = new ArrayList<>();
    private float stream = 1;
    private float logits = 1;

    /// Reads the parameters.
    ///
    /// @param cache F16 or F32
    public Assembly(GgufFile file, Weights w, TensorType cache) {
        this.w = w;
        p = Parameters.read(file);
        keys = p.reader(file);
        groups = new CacheGroups(cache);
    }

    /// What all families' files say.
    public Parameters parameters() {
        return p;
    }

    /// Reads further keys.
    public Parameters.Reader keys() {
        return keys;
    }

    /// Refuses a model without experts, in a family that has them.
    public void requireExperts() {
        keys.number("expert_count", 1, Integer.MAX_VALUE);
    }

    /// The same, in a family whose models may be dense, for a file that has a router.
    public void requireExpertsOfRouter() {
        if (w.has(block(0) + "ffn_gate_inp.weight")) requireExperts();
    }

    /// The plain router: a softmax over all experts, and the weights of the chosen ones divided by their sum.
    public RouterSpec softmaxRouter() {
        return new RouterSpec(p.experts(), p.expertsUsed(), RouterSpec.Gate.SOFTMAX, true, 1, 1, 1, false);
    }

    /// The model's rope.
    ///
    /// @param halves as in [Rope#read]
    public Rope rope(boolean halves) {
        return Rope.read(p, keys, w, halves);
    }

    /// The same, with divisors in a tensor that must be there.
    public Rope rope(boolean halves, String divisors) {
        return Rope.read(p, keys, w, halves, divisors);
    }

    /// Keeps the stream divided by a number, for what a layer's halves add is to be multiplied by it. Before any norm is made.
    public void streamDividedBy(float factor) {
        stream = factor;
    }

    /// Divides the logits by a number.
    public void logitsDividedBy(float divisor) {
        logits = divisor;
    }

    /// A norm of the stream.
    public Norm norm(String name) {
        return new Norm(w.vector(name, p.width()), p.eps() / (stream * stream));
    }

    /// A norm of the stream in a layer: `blk.N.NAME`.
    public Norm norm(int layer, String name) {
        return norm(block(layer) + name);
    }

    /// Grouped attention, with its place in the cache.
    ///
    /// @param visible which positions a position sees
    public GroupedAttention attention(int layer, Rope rope, GroupedAttention.Manner manner, Visible visible) {
        return attention(layer, rope, manner, visible, Optional.empty());
    }

    /// The same, with a norm of the answer.
    public GroupedAttention attention(int layer, Rope rope, GroupedAttention.Manner manner, Visible visible, Optional<Norm> after) {
        CacheGroups.Place place = groups.add(p.keyHeads()[layer], p.headSize(), p.valueSize(), visible);
        var spec = new GroupedAttention.Spec(p.heads()[layer], p.keyHeads()[layer], p.headSize(), p.valueSize(), manner, p.eps(),
                place.group(), place.layer());
        return new GroupedAttention(w, block(layer), p.width(), spec, rope, after);
    }

    /// Latent attention, with its place in the cache.
    ///
    /// @param scale on scores
    public LatentAttention latentAttention(int layer, Rope rope, LatentAttention.Shape shape, float scale) {
        CacheGroups.Place place = groups.addLatent(shape.rank() + shape.ropeSize(), shape.rank());
        return new LatentAttention(w, block(layer), p.width(), shape, p.eps(), scale, rope, place);
    }

    /// A dense feed-forward part, as wide inside as the parameters say.
    public Ffn dense(int layer) {
        return dense(layer, GatedUnit.SWI_GLU, Optional.empty());
    }

    /// The same, with gate and up in one matrix.
    public Ffn mergedDense(int layer) {
        return new DenseFfn(w, block(layer), p.width(), p.inner()[layer], true, GatedUnit.SWI_GLU, Optional.empty());
    }

    /// The same, with another unit, and a norm of the result.
    public Ffn dense(int layer, GatedUnit unit, Optional<Norm> after) {
        return new DenseFfn(w, block(layer), p.width(), p.inner()[layer], false, unit, after);
    }

    /// A mixture of experts with the plain router in a model that has experts, else a dense part; as wide inside as the parameters say.
    ///
    /// @param sharedInner width inside a mixture's shared expert, 0 for none
    public Ffn denseOrMixture(int layer, int sharedInner) {
        return p.experts() == 0 ? dense(layer) : mixture(layer, softmaxRouter(), p.inner()[layer], sharedInner);
    }

    /// A mixture of experts.
    ///
    /// @param inner width inside a routed expert
    /// @param sharedInner width inside the shared expert, 0 for none
    public Ffn mixture(int layer, RouterSpec spec, int inner, int sharedInner) {
        return mixture(layer, spec, inner, sharedInner, Optional.empty());
    }

    /// A mixture of experts.
    ///
    /// @param bias added to the experts' scores for choosing only
    public Ffn mixture(int layer, RouterSpec spec, int inner, int sharedInner, Optional<float[]> bias) {
        String b = block(layer);
        int d = p.width(), e = spec.experts();
        Experts experts = new Experts(w.experts(b + "ffn_gate_exps.weight", inner, d, e), w.experts(b + "ffn_up_exps.weight", inner, d, e),
                w.experts(b + "ffn_down_exps.weight", d, inner, e));
        Optional<Experts> shared = sharedInner == 0 ? Optional.empty()
                : Optional.of(new Experts(w.matrix(b + "ffn_gate_shexp.weight", sharedInner, d),
                        w.matrix(b + "ffn_up_shexp.weight", sharedInner, d), w.matrix(b + "ffn_down_shexp.weight", d, sharedInner)));
        return new MoeFfn(new MoeLayer(spec, w.router(b + "ffn_gate_inp.weight", e, d), bias, experts, shared, w.kernels()), spec.used());
    }

    /// A router's bias for choosing only, if the layer has one.
    public Optional<float[]> selectionBias(int layer) {
        String name = block(layer) + "exp_probs_b.bias";
        return w.has(name) ? Optional.of(w.vector(name, p.experts())) : Optional.empty();
    }

    /// The layers that compute the next token's logits. Those that guess further tokens (`nextn_predict_layers`) are counted in the
    /// file, but come last and take no part; their tensors are passed over.
    public int withoutGuessing() {
        int layers = p.layers() - keys.number("nextn_predict_layers", 0, 0, p.layers() - 1);
        for (int i = layers; i < p.layers(); i++) w.skip(block(i));
        return layers;
    }

    /// A mixture of experts that have biases everywhere, as the router has.
    ///
    /// @param inner width inside an expert
    public Ffn biasedMixture(int layer, RouterSpec spec, int inner, GatedUnit unit) {
        String b = block(layer);
        int d = p.width(), e = spec.experts();
        Experts.Biases biases = new Experts.Biases(w.vectors(b + "ffn_gate_exps.bias", inner, e),
                w.vectors(b + "ffn_up_exps.bias", inner, e), w.vectors(b + "ffn_down_exps.bias", d, e));
        Experts experts = new Experts(w.experts(b + "ffn_gate_exps.weight", inner, d, e), w.experts(b + "ffn_up_exps.weight", inner, d, e),
                w.experts(b + "ffn_down_exps.weight", d, inner, e), unit, Optional.of(biases));
        return new MoeFfn(new MoeLayer(spec, w.router(b + "ffn_gate_inp.weight", e, d), w.vector(b + "ffn_gate_inp.bias", e),
                Optional.empty(), experts, Optional.empty(), w.kernels()), spec.used());
    }

    /// Adds the next layer.
    public void layer(Norm attentionNorm, SelfAttention attention, Norm ffnNorm, Ffn ffn) {
        layers.add(new Decoder.Layer(attentionNorm, attention, ffnNorm, ffn));
    }

    /// The whole: the layers, with embedding, last norm and output. A file without an output has the embedding for one.
    public Decoder decoder(Rope rope) {
        return decoder(List.of(rope), 1);
    }

    /// The same with scaled embeddings.
    ///
    /// @param embeddingScale what an embedding row is multiplied by
    public Decoder decoder(Rope rope, float embeddingScale) {
        return decoder(List.of(rope), embeddingScale);
    }

    /// The same with several ropes.
    ///
    /// @param ropes those of the layers; one that comes twice counts once
    /// @param embeddingScale what an embedding row is multiplied by
    public Decoder decoder(List<Rope> ropes, float embeddingScale) {
        Matrix embedding = w.matrix("token_embd.weight", p.vocabulary(), p.width());
        Matrix output = w.findMatrix("output.weight", p.vocabulary(), p.width()).orElse(embedding);
        Norm last = norm("output_norm.weight");
        if (logits != 1) for (int i = 0; i < last.weight().length; i++) last.weight()[i] /= logits;
        return new Decoder(embedding, ropes.stream().distinct().toList(), layers, last, output, groups.layouts(), embeddingScale / stream);
    }

    private static String block(int layer) {
        return "blk." + layer + ".";
    }
}
