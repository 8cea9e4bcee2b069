package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Ops;
import java.util.Optional;

/// Attention with grouped heads: several query heads read one key/value head. The first half of a layer.
public final class GroupedAttention implements SelfAttention, RowWork {
    /// A layer's numbers.
    ///
    /// @param heads query heads
    /// @param keyHeads key/value heads
    /// @param headSize values in a query or key head
    /// @param valueSize values in a value head
    /// @param manner a family's own ways
    /// @param eps of the norms of heads
    /// @param cacheGroup the layer's group in the cache
    /// @param cacheLayer its number in that group
    public record Spec(int heads, int keyHeads, int headSize, int valueSize, Manner manner, float eps, int cacheGroup, int cacheLayer) {
    }

    /// How queries and keys are made, decided once.
    ///
    /// @param usesRope whether queries and keys are rotated
    /// @param headNorm where each head of q and k is RMS-normalised
    /// @param position a factor on queries
    /// @param biases which biases a file must have; those that it has are used in any case
    /// @param sinks whether every query head has one more score in its softmax, whose weight falls away
    /// @param scale the factor on scores; 0 for one over the root of the head size
    public record Manner(boolean usesRope, HeadNorm headNorm, PositionScale position, Biases biases, boolean sinks, float scale) {
        /// Rotated queries and keys.
        public static final Manner PLAIN = new Manner(true, HeadNorm.NONE, PositionScale.NONE, Biases.OPTIONAL, false, 0);
        /// No rotation, but the factors of Llama 4.
        public static final Manner SCALED_BY_POSITION = new Manner(false, HeadNorm.NONE, PositionScale.LLAMA_4, Biases.OPTIONAL, false, 0);

        /// With a norm of heads.
        public Manner norms(HeadNorm norm) {
            return new Manner(usesRope, norm, position, biases, sinks, scale);
        }

        /// With biases that the file must have.
        public Manner biased(Biases biases) {
            return new Manner(usesRope, headNorm, position, biases, sinks, scale);
        }

        /// With sinks.
        public Manner withSinks() {
            return new Manner(usesRope, headNorm, position, biases, true, scale);
        }

        /// With factors on queries.
        public Manner scaledByPosition(PositionScale position) {
            return new Manner(usesRope, headNorm, position, biases, sinks, scale);
        }

        /// Without a rotation.
        public Manner withoutRope() {
            return new Manner(false, headNorm, position, biases, sinks, scale);
        }

        /// With another factor on scores.
        public Manner scaled(float scale) {
            return new Manner(usesRope, headNorm, position, biases, sinks, scale);
        }
    }

    /// Biases that a file must have.
    public enum Biases {
        OPTIONAL,
        /// Of queries, keys and values.
        INPUTS,
        /// And of the output.
        ALL
    }

    /// An RMS norm of each head of q and k.
    public enum HeadNorm {
        NONE,
        /// Before the rotation, with the weights `attn_q_norm` and `attn_k_norm`, one for each value of a head.
        BEFORE_ROPE,
        /// After the rotation, without weights.
        AFTER_ROPE
    }

    private final Spec spec;
    private final Rope rope;
    private final Matrix query;
    private final Matrix key;
    private final Matrix value;
    private final Matrix output;
    private final float[] queryBias;
    private final float[] keyBias;
    private final float[] valueBias;
    private final float[] outputBias;
    private final float[] queryNorm;
    private final float[] keyNorm;
    private final float[] sinks;
    private final float scale;
    private final Optional<Norm> after;

    /// Reads a layer's weights: three matrices for q, k and v, or one that holds the rows of all three.
    ///
    /// @param prefix `blk.N.`
    /// @param after a norm of the answer before it is added to the stream
    public GroupedAttention(Weights w, String prefix, int width, Spec spec, Rope rope, Optional<Norm> after) {
        this.spec = spec;
        this.after = after;
        this.rope = rope;
        int q = spec.heads * spec.headSize, k = spec.keyHeads * spec.headSize, v = spec.keyHeads * spec.valueSize;
        String merged = prefix + "attn_qkv.weight";
        if (w.has(merged)) {
            long all = (long) q + k + v;
            query = w.rows(merged, 0, q, all, width);
            key = w.rows(merged, q, k, all, width);
            value = w.rows(merged, (long) q + k, v, all, width);
        } else {
            query = w.matrix(prefix + "attn_q.weight", q, width);
            key = w.matrix(prefix + "attn_k.weight", k, width);
            value = w.matrix(prefix + "attn_v.weight", v, width);
        }
        queryBias = bias(w, prefix + "attn_q.bias", q, Biases.INPUTS);
        keyBias = bias(w, prefix + "attn_k.bias", k, Biases.INPUTS);
        valueBias = bias(w, prefix + "attn_v.bias", v, Biases.INPUTS);
        boolean norms = spec.manner.headNorm == HeadNorm.BEFORE_ROPE;
        queryNorm = norms ? w.vector(prefix + "attn_q_norm.weight", spec.headSize) : Weights.NONE;
        keyNorm = norms ? w.vector(prefix + "attn_k_norm.weight", spec.headSize) : Weights.NONE;
        output = w.matrix(prefix + "attn_output.weight", width, spec.heads * spec.valueSize);
        outputBias = bias(w, prefix + "attn_output.bias", width, Biases.ALL);
        sinks = spec.manner.sinks ? w.vector(prefix + "attn_sinks.weight", spec.heads) : Weights.NONE;
        scale = spec.manner.scale > 0 ? spec.manner.scale : (float) (1 / Math.sqrt(spec.headSize));
    }

    private float[] bias(Weights w, String name, int n, Biases asked) {
        return spec.manner.biases.compareTo(asked) >= 0 ? w.vector(name, n) : w.findVector(name, n);
    }

    /// Reads the normed stream, stores keys and values, and adds the answer to the hidden stream.
    @Override
    public void forward(Pass pass) {
        Activation h = pass.normed();
        int n = pass.step().count();
        float[] q = pass.queries(query.rows()), k = pass.keys(key.rows()), v = pass.values(value.rows());
        pass.region().multiply(query, h, q, 0, query.rows());
        pass.region().multiply(key, h, k, 0, key.rows());
        pass.region().multiply(value, h, v, 0, value.rows());
        pass.region().run();
        pass.perRow(this, 4 * (query.rows() + key.rows()));
        pass.attention().store(pass.region(), spec.cacheGroup, spec.cacheLayer, pass.step().rows(), k, 0, key.rows(), v, 0, value.rows());
        Activation answer = pass.middle(output.columns());
        answer.reset(n);
        pass.attention().attend(pass.region(), spec.cacheGroup, spec.cacheLayer, pass.step().rows(), q, 0, query.rows(), spec.heads, scale,
                sinks, answer.values(), 0, output.columns());
        pass.region().run();
        pass.region().multiply(output, answer, pass.sum(), 0, output.rows());
        pass.region().run();
        pass.addToStream(outputBias, after);
    }

    /// Biases, norms, rotation and scales of q and k.
    @Override
    public void rows(Pass pass, int from, int to) {
        Ops ops = pass.ops();
        int qs = query.rows(), ks = key.rows(), vs = value.rows();
        float[] q = pass.queries(qs), k = pass.keys(ks), v = pass.values(vs);
        for (int i = from; i < to; i++) {
            if (queryBias.length > 0) ops.add(q, i * qs, queryBias, 0, qs);
            if (keyBias.length > 0) ops.add(k, i * ks, keyBias, 0, ks);
            if (valueBias.length > 0) ops.add(v, i * vs, valueBias, 0, vs);
            heads(pass, i, q, i * qs, spec.heads, queryNorm);
            heads(pass, i, k, i * ks, spec.keyHeads, keyNorm);
            if (spec.manner.position.strength() != 0)
                ops.scale(q, i * qs, qs, spec.manner.position.at(pass.step().rows().position(i)));
        }
    }

    private void heads(Pass pass, int row, float[] x, int at, int heads, float[] norm) {
        Ops ops = pass.ops();
        int n = spec.headSize, pairs = rope.pairs();
        float[] cos = pass.cos(rope), sin = pass.sin(rope);
        for (int a = at; a < at + heads * n; a += n) {
            if (norm.length > 0) ops.rmsNorm(x, a, norm, x, a, n, spec.eps);
            if (spec.manner.usesRope) rope.rotate(ops, x, a, cos, sin, row * pairs);
            if (spec.manner.headNorm == HeadNorm.AFTER_ROPE) ops.rmsNorm(x, a, n, spec.eps);
        }
    }
}
