package io.github.kvern.kvcache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Attention with keys and values that heads make of latent vectors, against plain loops in double.
class ExpandedTest {
    /// One layer's heads, and what they attend to.
    private static final class Case implements LatentHeads {
        final KvLayout layout;
        final int heads;
        final int plain;
        final int size;
        final int positions;
        final float[] keyRows; // [head][plain][latent]
        final float[] valueRows; // [head][size][latent]
        final float[] stored; // [position][key size]
        final float[] q; // [position][head][plain + rope]
        final float scale;

        Case(SplittableRandom random) {
            int latent = 8 * (1 + random.nextInt(8)), rope = 2 * (1 + random.nextInt(8));
            layout = new KvLayout(2, 1, latent + rope, latent, random.nextBoolean() ? TensorType.F32 : TensorType.F16, Visible.ALL, true);
            heads = 1 + random.nextInt(5);
            plain = 1 + random.nextInt(40);
            size = 1 + random.nextInt(40);
            positions = 1 + random.nextInt(random.nextBoolean() ? 70 : 1300);
            keyRows = floats(random, heads * plain * latent);
            valueRows = floats(random, heads * size * latent);
            stored = floats(random, positions * layout.keySize());
            q = floats(random, positions * heads * querySize());
            scale = (float) (1 / Math.sqrt(querySize()));
        }

        private static float[] floats(SplittableRandom random, int n) {
            float[] x = new float[n];
            for (int i = 0; i < n; i++) x[i] = (float) (random.nextDouble() + random.nextDouble() - 1);
            return x;
        }

        int querySize() {
            return plain + layout.keySize() - layout.valueSize();
        }

        @Override
        public int plainSize() {
            return plain;
        }

        @Override
        public int valueSize() {
            return size;
        }

        @Override
        public void pack(int head, float[] keys, float[] values, float[] row) {
            Arrays.fill(row, Float.NaN);
            pack(keyRows, head, plain, keys);
            pack(valueRows, head, size, values);
        }

        private void pack(float[] rows, int head, int count, float[] packed) {
            int latent = layout.valueSize();
            for (int r = 0; r < count; r++)
                for (int i = 0; i < latent; i++)
                    packed[(r / AttentionOps.PACK * latent + i) * AttentionOps.PACK + r % AttentionOps.PACK] = rows[(head * count + r)
                            * latent + i];
        }

        double stored(int position, int i) {
            float x = stored[position * layout.keySize() + i];
            return layout.storage() == TensorType.F32 ? x : Float.float16ToFloat(Float.floatToFloat16(x));
        }

        double[] expected(int position, int head) {
            int latent = layout.valueSize();
            double[] out = new double[size], weights = new double[position + 1];
            double sum = 0;
            for (int j = 0; j <= position; j++) {
                double score = 0;
                for (int n = 0; n < querySize(); n++) {
                    double key = n < plain ? 0 : stored(j, latent + n - plain);
                    for (int i = 0; n < plain && i < latent; i++) key += keyRows[(head * plain + n) * latent + i] * stored(j, i);
                    score += q[(position * heads + head) * querySize() + n] * key;
                }
                weights[j] = Math.exp(score * scale);
                sum += weights[j];
            }
            for (int v = 0; v < size; v++)
                for (int i = 0; i < latent; i++) {
                    double mean = 0;
                    for (int j = 0; j <= position; j++) mean += weights[j] / sum * stored(j, i);
                    out[v] += valueRows[(head * size + v) * latent + i] * mean;
                }
            return out;
        }

        float[] run(int threads, int... steps) {
            float[] out = new float[positions * heads * size];
            try (PagePool pool = new PagePool(List.of(layout), 1L << 30); Workers workers = new Workers(threads)) {
                Attention attention = new Attention(Kernels.best(), pool);
                Region region = new Region(workers);
                Sequence sequence = pool.sequence();
                Rows rows = new Rows();
                for (int step : steps) {
                    int at = sequence.length(), key = layout.keySize();
                    sequence.reserve(step);
                    rows.clear();
                    for (int i = 0; i < step; i++) rows.add(sequence, at + i);
                    attention.store(region, 0, 1, rows, stored, at * key, key);
                    attention.attendExpanded(region, 0, 1, rows, this, q, at * heads * querySize(), heads * querySize(), heads, scale, out,
                            at * heads * size, heads * size);
                    region.run();
                    sequence.advance(step);
                }
            }
            return out;
        }
    }

    @Test
    void agreesWithTheReferenceAndDoesNotDependOnTheSteps() {
        for (long seed = 1; seed <= 24; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Case c = new Case(random);
            String what = "seed " + seed + ", " + c.layout + ", " + c.heads + " heads of " + c.plain + " and " + c.size + ", " + c.positions
                    + " positions";
            float[] whole = c.run(1, c.positions);
            for (int check = 0; check < 12; check++) {
                int position = check == 0 ? c.positions - 1 : random.nextInt(c.positions), head = random.nextInt(c.heads);
                double[] expected = c.expected(position, head);
                for (int i = 0; i < expected.length; i++)
                    assertEquals(expected[i], whole[(position * c.heads + head) * c.size + i], 2e-5,
                            what + ", position " + position + ", head " + head + ", value " + i);
            }
            int first = random.nextInt(c.positions + 1);
            float[][] all = {whole};
            AttentionTest.assertSame(all, new float[][] {c.run(2, first, c.positions - first)}, what + ", in two steps, two threads");
            AttentionTest.assertSame(all, new float[][] {c.run(3, c.positions)}, what + ", three threads");
        }
    }

    @Test
    void refusesLayoutsWithoutLatentVectors() {
        Case c = new Case(new SplittableRandom(1));
        KvLayout plain = new KvLayout(2, 1, 8, 8, TensorType.F32, Visible.ALL);
        try (PagePool pool = new PagePool(List.of(plain), 1L << 20); Workers workers = new Workers(1)) {
            Attention attention = new Attention(Kernels.best(), pool);
            Region region = new Region(workers);
            float[] x = new float[64];
            assertThrows(IllegalArgumentException.class, () -> attention.store(region, 0, 0, new Rows(), x, 0, 8));
            assertThrows(IllegalArgumentException.class,
                    () -> attention.attendExpanded(region, 0, 0, new Rows(), c, x, 0, 8, 1, 1, x, 0, 8));
        }
        assertThrows(IllegalArgumentException.class, () -> new KvLayout(1, 1, 8, 9, TensorType.F32, Visible.ALL, true));
        assertEquals(64 * 4 * 12, new KvLayout(1, 1, 12, 8, TensorType.F32, Visible.ALL, true).pageBytes());
    }
}
