package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kvcache.KvLayout;
import java.util.List;

/// The skeleton that the families share: embedding, layers of attention and feed-forward with a norm before each and a sum after
/// each, a last norm, and one product over the vocabulary. Immutable.
///
/// @param embedding one row per token
/// @param ropes the angles that layers use
/// @param layers in order
/// @param norm the last norm
/// @param output one row per token
/// @param cacheGroups how the layers keep keys and values
/// @param embeddingScale what an embedding row is multiplied by
public record Decoder(Matrix embedding, List<Rope> ropes, List<Layer> layers, Norm norm, Matrix output, List<KvLayout> cacheGroups,
        float embeddingScale) {
    /// One layer.
    ///
    /// @param attentionNorm before attention
    /// @param attention first half
    /// @param ffnNorm before the feed-forward part
    /// @param ffn second half
    public record Layer(Norm attentionNorm, SelfAttention attention, Norm ffnNorm, Ffn ffn) {
    }

    /// Copies the lists.
    public Decoder {
        ropes = List.copyOf(ropes);
        layers = List.copyOf(layers);
        cacheGroups = List.copyOf(cacheGroups);
    }

    /// Values in a hidden vector.
    public int width() {
        return embedding.columns();
    }

    /// Tokens in the vocabulary.
    public int vocabulary() {
        return output.rows();
    }

    /// Runs a step: keys and values are stored, hidden vectors are left in the pass.
    ///
    /// @return false when the step was abandoned on the way
    public boolean forward(Pass pass, Step step) {
        pass.begin(step);
        float[] x = pass.hidden();
        int width = width();
        boolean computes = pass.region().computes(); // else buffers grow, and that is all
        for (int i = 0; computes && i < step.count(); i++) embedding.decodeRow(step.token(i), x, i * width);
        if (computes && embeddingScale != 1) pass.ops().scale(x, 0, step.count() * width, embeddingScale);
        for (int r = 0; r < ropes.size(); r++) {
            Rope rope = ropes.get(r);
            float[] cos = pass.cos(rope), sin = pass.sin(rope);
            for (int i = 0; computes && i < step.count(); i++) rope.angles(step.rows().position(i), cos, sin, i * rope.pairs());
        }
        for (Layer layer : layers) {
            if (step.abandoned()) return false;
            layer.attentionNorm.apply(pass);
            layer.attention.forward(pass);
            layer.ffnNorm.apply(pass);
            layer.ffn.forward(pass);
        }
        return !step.abandoned();
    }

    /// Computes logits of wanted rows of the step that was run last.
    ///
    /// @param from number of the first wanted row
    /// @param count how many
    /// @param logits `[count][vocabulary]`
    public void logits(Pass pass, int from, int count, float[] logits) {
        Activation last = pass.last();
        last.reset(count);
        int width = width();
        for (int i = 0; pass.region().computes() && i < count; i++) {
            pass.ops().rmsNorm(pass.hidden(), pass.step().wanted(from + i) * width, norm.weight(), last.values(), i * width, width,
                    norm.eps());
        }
        pass.region().multiply(output, last, logits, 0, output.rows());
        pass.region().run();
    }
}
