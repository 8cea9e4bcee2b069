package io.github.kvern.kvcache;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.util.List;
import java.util.SplittableRandom;

/// A made-up conversation for tests: every position's queries, keys and values in all layers of one layout follow from a seed, and
/// so does the expected attention, in double and without blocks.
final class Talk {
    final KvLayout layout;
    final int sharing;
    final int positions;
    final float scale;
    final float[][] q; // by layer, [position][queryHeads * keySize]
    final float[][] k;
    final float[][] v;
    float[] sinks; // as likely as not none

    Talk(KvLayout layout, int sharing, int positions, long seed) {
        this.layout = layout;
        this.sharing = sharing;
        this.positions = positions;
        scale = (float) (1 / Math.sqrt(layout.keySize()));
        SplittableRandom random = new SplittableRandom(seed);
        sinks = new float[seed % 2 == 0 ? 0 : layout.heads() * sharing];
        for (int i = 0; i < sinks.length; i++) sinks[i] = 2 * i - 3;
        q = new float[layout.layers()][];
        k = new float[layout.layers()][];
        v = new float[layout.layers()][];
        for (int l = 0; l < layout.layers(); l++) {
            q[l] = random(random, positions * qWidth(), 2);
            k[l] = random(random, positions * layout.heads() * layout.keySize(), 2);
            v[l] = random(random, positions * layout.heads() * layout.valueSize(), 1);
            if (!layout.latent()) continue;
            for (int i = 0; i < v[l].length; i++) v[l][i] = k[l][i / layout.valueSize() * layout.keySize() + i % layout.valueSize()];
        }
    }

    int qWidth() {
        return layout.heads() * sharing * layout.keySize();
    }

    int outWidth() {
        return layout.heads() * sharing * layout.valueSize();
    }

    private static float[] random(SplittableRandom random, int n, double spread) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = (float) (spread * (random.nextDouble() + random.nextDouble() + random.nextDouble() - 1.5));
        return x;
    }

    private double stored(float x) {
        return layout.storage() == TensorType.F32 ? x : Float.float16ToFloat(Float.floatToFloat16(x));
    }

    /// What one position and query head should see.
    double[] expected(int layer, int position, int queryHead) {
        int head = queryHead / sharing, keySize = layout.keySize(), size = layout.valueSize();
        int range = layout.visible().size();
        int first = switch (layout.visible().kind()) {
            case ALL -> 0;
            case CHUNK -> position / range * range;
            case WINDOW -> position < range ? 0 : position + 1 - range;
        };
        double[] scores = new double[position + 1];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = first; j <= position; j++) {
            for (int i = 0; i < keySize; i++)
                scores[j] += (double) q[layer][position * qWidth() + queryHead * keySize + i]
                        * stored(k[layer][(j * layout.heads() + head) * keySize + i]);
            scores[j] *= scale;
            max = Math.max(max, scores[j]);
        }
        double sum = sinks.length == 0 ? 0 : Math.exp(sinks[queryHead] - max);
        double[] out = new double[size];
        for (int j = first; j <= position; j++) {
            double w = Math.exp(scores[j] - max);
            sum += w;
            for (int i = 0; i < size; i++) out[i] += w * stored(v[layer][(j * layout.heads() + head) * size + i]);
        }
        for (int i = 0; i < size; i++) out[i] /= sum;
        return out;
    }

    /// Runs the talk in steps through a sequence of its own pool: `[layer][position * outWidth]`. A negative step is stored only, and
    /// its results are left 0.
    float[][] run(int threads, int... steps) {
        try (PagePool pool = new PagePool(List.of(layout), Long.MAX_VALUE / 4); Workers workers = new Workers(threads)) {
            return run(pool, new Attention(Kernels.best(), pool), new Region(workers), pool.sequence(), 0, steps);
        }
    }

    float[][] run(PagePool pool, Attention attention, Region region, Sequence sequence, int group, int... steps) {
        float[][] out = new float[layout.layers()][positions * outWidth()];
        Rows rows = new Rows();
        for (int signed : steps) {
            int step = Math.abs(signed);
            int at = sequence.length();
            sequence.reserve(step);
            rows.clear();
            for (int i = 0; i < step; i++) rows.add(sequence, at + i);
            for (int l = 0; l < layout.layers(); l++) {
                int kw = layout.heads() * layout.keySize(), vw = layout.heads() * layout.valueSize();
                attention.store(region, group, l, rows, k[l], at * kw, kw, v[l], at * vw, vw);
                if (signed < 0) continue;
                attention.attend(region, group, l, rows, q[l], at * qWidth(), qWidth(), layout.heads() * sharing, scale, sinks, out[l],
                        at * outWidth(), outWidth());
                region.run();
            }
            sequence.advance(step);
        }
        return out;
    }
}
