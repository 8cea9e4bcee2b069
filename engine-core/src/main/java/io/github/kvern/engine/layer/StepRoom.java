package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Workers;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.kvcache.Sequence;
import java.util.ArrayList;
import java.util.List;

/// Finds out what memory a conversation takes, by running its steps with nobody to compute them: the code that allocates says how much.
public final class StepRoom {
    private StepRoom() {
    }

    /// The most bytes of cache that one conversation holds at once, by group of layers.
    ///
    /// @param context its length in positions, 1 or more
    /// @param microBatch rows of a step
    public static List<Long> cacheBytes(List<KvLayout> groups, int context, int microBatch) {
        PagePool pool = PagePool.unbacked(groups);
        Sequence sequence = pool.sequence();
        long[] most = new long[groups.size()];
        for (int at = 0, n; at < context; at += n) {
            n = Math.min(microBatch, context - at);
            sequence.reserve(n);
            for (int g = 0; g < most.length; g++) most[g] = Math.max(most[g], sequence.pages(g) * pool.pageBytes(g));
            sequence.advance(n);
        }
        List<Long> bytes = new ArrayList<>();
        for (long b : most) bytes.add(b);
        return bytes;
    }

    /// Bytes of the buffers that steps of a conversation leave behind on the heap: a prompt's first and last step, and one of a single
    /// token. They are counted, and take no memory here.
    ///
    /// The workers' own buffers are not among them, some hundred kilobytes to some megabytes each. What the tokens of a mixture choose makes
    /// no difference: there is room for anything (`MoeScratch.settle`).
    public static long heapBytes(Decoder decoder, Kernels kernels, GgufFile file, int context, int microBatch) {
        int rows = Math.min(context, microBatch);
        PagePool pool = PagePool.unbacked(decoder.cacheGroups());
        Sequence sequence = pool.sequence();
        float[] logits = new float[decoder.vocabulary()]; // of one token, as an answer wants them
        try (Workers nobody = Workers.none()) {
            Pass pass = new Pass(kernels, nobody, pool, decoder.width(), file);
            Step step = new Step();
            for (int at = 0, n; at < context; at += n) {
                n = Math.min(rows, context - at);
                sequence.reserve(n);
                if (at == 0 || at + n >= context - rows) run(decoder, pass, step, sequence, at, n, logits);
                sequence.advance(n);
            }
            sequence.reserve(1);
            run(decoder, pass, step, sequence, context, 1, logits);
            return pass.heapBytes() + 4L * logits.length;
        }
    }

    private static void run(Decoder decoder, Pass pass, Step step, Sequence sequence, int from, int rows, float[] logits) {
        step.clear();
        for (int i = 0; i < rows; i++) step.add(0, sequence, from + i, i == rows - 1);
        decoder.forward(pass, step);
        decoder.logits(pass, 0, 1, logits);
    }
}
