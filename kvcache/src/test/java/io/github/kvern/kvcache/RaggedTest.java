package io.github.kvern.kvcache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Steps in which several sequences meet, in a cache with several groups of layers: every row's bits are those of the row alone.
class RaggedTest {
    private static final long SEED = Long.getLong("kvern.test.seed", 20_260_101);

    /// Sequences of different lengths advance by different numbers of rows in the same steps.
    @Test
    void sequencesInOneStepEqualThemselvesAlone() {
        for (int round = 0; round < 6; round++) {
            SplittableRandom random = new SplittableRandom(SEED + round);
            TensorType storage = round % 2 == 0 ? TensorType.F16 : TensorType.F32;
            List<KvLayout> layouts = List.of(new KvLayout(2, 2, 24, 40, storage, Visible.ALL),
                    new KvLayout(1, 1, 16, 16, storage, round < 3 ? Visible.chunk(96) : Visible.window(90 * round - 200)));
            int[] sharing = {3, 4};
            int count = 2 + random.nextInt(4);
            Talk[][] talks = new Talk[count][2];
            float[][][][] alone = new float[count][2][][];
            for (int s = 0; s < count; s++) {
                int positions = 1 + random.nextInt(s == 0 ? 1400 : 300);
                for (int g = 0; g < 2; g++) {
                    talks[s][g] = new Talk(layouts.get(g), sharing[g], positions, SEED + 100 * round + 10 * s + g);
                    talks[s][g].sinks = round % 3 == 1 ? talks[0][g].sinks : new float[0];
                    alone[s][g] = talks[s][g].run(1, positions);
                }
            }
            for (int threads = 1; threads <= 3; threads++)
                try (PagePool pool = new PagePool(layouts, 1L << 30); Workers workers = new Workers(threads)) {
                    float[][][][] together = together(talks, pool, new Region(workers), random);
                    for (int s = 0; s < count; s++)
                        for (int g = 0; g < 2; g++)
                            AttentionTest.assertSame(alone[s][g], together[s][g],
                                    "seed " + SEED + ", round " + round + ", " + threads + " threads, sequence " + s + " of "
                                            + talks[s][g].positions + ", group " + g);
                    assertEquals(0, pool.usedBytes());
                }
        }
    }

    private static float[][][][] together(Talk[][] talks, PagePool pool, Region region, SplittableRandom random) {
        int count = talks.length;
        Attention attention = new Attention(Kernels.best(), pool);
        float[][][][] out = new float[count][2][][];
        Sequence[] sequences = new Sequence[count];
        for (int s = 0; s < count; s++) {
            sequences[s] = pool.sequence();
            for (int g = 0; g < 2; g++) out[s][g] = new float[talks[s][g].layout.layers()][talks[s][g].positions * talks[s][g].outWidth()];
        }
        Rows rows = new Rows();
        int[] steps = new int[count], order = new int[count];
        for (boolean any = true; any;) {
            any = false;
            rows.clear();
            for (int s = 0; s < count; s++) order[s] = (s + steps[0]) % count;
            for (int s : order) {
                int left = talks[s][0].positions - sequences[s].length();
                steps[s] = Math.min(left, switch (random.nextInt(4)) {
                    case 0 -> 0;
                    case 1 -> 1;
                    case 2 -> random.nextInt(40);
                    default -> random.nextInt(500);
                });
                any |= left > 0;
                sequences[s].reserve(steps[s]);
                for (int i = 0; i < steps[s]; i++) rows.add(sequences[s], sequences[s].length() + i);
            }
            for (int g = 0; g < 2; g++)
                for (int l = 0; l < talks[0][g].layout.layers(); l++) step(talks, g, l, sequences, rows, attention, region, out);
            for (int s = 0; s < count; s++) sequences[s].advance(steps[s]);
        }
        for (Sequence s : sequences) s.close();
        return out;
    }

    private static void step(Talk[][] talks, int g, int l, Sequence[] sequences, Rows rows, Attention attention, Region region,
            float[][][][] out) {
        Talk any = talks[0][g];
        KvLayout layout = any.layout;
        int kw = layout.heads() * layout.keySize(), vw = layout.heads() * layout.valueSize(), qw = any.qWidth(), ow = any.outWidth();
        float[] k = new float[rows.count() * (kw + 1)], v = new float[rows.count() * vw], q = new float[7 + rows.count() * qw],
                o = new float[rows.count() * ow];
        for (int r = 0; r < rows.count(); r++) {
            int s = Arrays.asList(sequences).indexOf(rows.sequence(r)), p = rows.position(r);
            System.arraycopy(talks[s][g].k[l], p * kw, k, r * (kw + 1), kw);
            System.arraycopy(talks[s][g].v[l], p * vw, v, r * vw, vw);
            System.arraycopy(talks[s][g].q[l], p * qw, q, 7 + r * qw, qw);
        }
        attention.store(region, g, l, rows, k, 0, kw + 1, v, 0, vw);
        attention.attend(region, g, l, rows, q, 7, qw, layout.heads() * any.sharing, any.scale, any.sinks, o, 0, ow);
        region.run();
        for (int r = 0; r < rows.count(); r++) {
            int s = Arrays.asList(sequences).indexOf(rows.sequence(r));
            System.arraycopy(o, r * ow, out[s][g][l], rows.position(r) * ow, ow);
        }
    }

    /// Long enough that one row's work is cut in parts, that spans become longer, and that Llama 4's own chunk ends.
    @Test
    void longSequences() {
        for (Visible visible : List.of(Visible.ALL, Visible.chunk(8192), Visible.window(1500))) {
            KvLayout layout = new KvLayout(1, 1, 16, 32, TensorType.F16, visible);
            int positions = 10_300, first = 8100;
            Talk talk = new Talk(layout, 2, positions, SEED + visible.size());
            int width = talk.outWidth();
            float[][] whole = talk.run(2, -first, positions - first);
            for (int position : new int[] {8100, 8190, 8191, 8192, 8193, 8300, 9215, 9216, 10_299})
                for (int head = 0; head < 2; head++) {
                    double[] expected = talk.expected(0, position, head);
                    for (int i = 0; i < 32; i++)
                        assertEquals(expected[i], whole[0][position * width + head * 32 + i], 3e-6,
                                "seed " + SEED + ", " + visible + ", position " + position);
                }
            int[] steps = new int[1 + 40 + 1 + 60]; // one by one past 8192, and again at the end
            Arrays.fill(steps, 1);
            steps[0] = -8170;
            steps[41] = -(10_240 - 8210);
            for (int threads = 1; threads <= 3; threads++) {
                float[][] actual = talk.run(threads, steps);
                for (int i = 8170 * width; i < positions * width; i++) {
                    if (i == 8210 * width) i = 10_240 * width;
                    if (whole[0][i] != actual[0][i])
                        throw new AssertionError("seed " + SEED + ", " + visible + ", " + threads + " threads: position " + i / width
                                + ", value " + i % width + " is "
                                + actual[0][i] + ", expected " + whole[0][i]);
                }
            }
        }
    }

    /// Where a ninth chunk begins.
    @Test
    void positionsBeyond65536() {
        int positions = 65_600, first = 65_520, width = 64;
        for (Visible visible : List.of(Visible.ALL, Visible.chunk(8192), Visible.window(1024))) {
            Talk talk = new Talk(new KvLayout(1, 1, 16, 32, TensorType.F16, visible), 2, positions, SEED + visible.size());
            float[][] whole = talk.run(2, -first, positions - first);
            for (int position : new int[] {65_520, 65_535, 65_536, 65_537, 65_599})
                for (int head = 0; head < 2; head++) {
                    double[] expected = talk.expected(0, position, head);
                    for (int i = 0; i < 32; i++)
                        assertEquals(expected[i], whole[0][position * width + head * 32 + i], 3e-6,
                                "seed " + SEED + ", " + visible + ", position " + position);
                }
            int[] steps = new int[1 + positions - first];
            Arrays.fill(steps, 1);
            steps[0] = -first;
            AttentionTest.assertSame(whole, talk.run(2, steps), "seed " + SEED + ", " + visible + ", one by one");
        }
    }

    /// What a later position of the same tile holds never touches an earlier one, not even times zero.
    @Test
    void laterPositionsLeaveEarlierOnesAlone() {
        for (TensorType storage : new TensorType[] {TensorType.F32, TensorType.F16}) {
            KvLayout layout = new KvLayout(2, 1, 16, 32, storage, Visible.ALL);
            Talk plain = new Talk(layout, 3, 150, SEED), odd = new Talk(layout, 3, 150, SEED);
            for (int l = 0; l < 2; l++) {
                odd.v[l][100 * 32 + 3] = Float.POSITIVE_INFINITY;
                odd.k[l][103 * 16 + 5] = Float.NaN;
            }
            float[][] expected = plain.run(1, 150), actual = odd.run(1, 150);
            for (int l = 0; l < 2; l++) {
                int width = plain.outWidth();
                for (int i = 0; i < 100 * width; i++) assertEquals(expected[l][i], actual[l][i], storage + ", value " + i);
                assertEquals(Float.POSITIVE_INFINITY, actual[l][100 * width + 3]);
                assertTrue(Float.isNaN(actual[l][103 * width]));
            }
            int[] ones = new int[150];
            Arrays.fill(ones, 1);
            float[][] single = odd.run(2, ones);
            for (int i = 0; i < 150 * plain.outWidth(); i++)
                assertEquals(Float.floatToIntBits(actual[1][i]), Float.floatToIntBits(single[1][i]), storage + ", value " + i);
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        KvLayout layout = new KvLayout(2, 2, 8, 8, TensorType.F32, Visible.ALL);
        try (PagePool pool = new PagePool(List.of(layout), 1 << 20);
                PagePool other = new PagePool(List.of(layout), 1 << 20);
                Workers workers = new Workers(1)) {
            Attention attention = new Attention(Kernels.best(), pool);
            Region region = new Region(workers);
            Sequence sequence = pool.sequence();
            Rows rows = new Rows();
            rows.add(sequence, 0);
            float[] x = new float[64];
            assertThrows(IllegalStateException.class, () -> attention.store(region, 0, 0, rows, x, 0, 16, x, 0, 16), "nothing reserved");
            assertThrows(IllegalStateException.class, () -> attention.attend(region, 0, 0, rows, x, 0, 32, 4, 1, new float[64], 0, 32));
            sequence.reserve(64);
            attention.store(region, 0, 0, rows, x, 0, 16, x, 0, 16);
            assertThrows(IndexOutOfBoundsException.class, () -> attention.store(region, 1, 0, rows, x, 0, 16, x, 0, 16));
            assertThrows(IndexOutOfBoundsException.class, () -> attention.store(region, 0, 2, rows, x, 0, 16, x, 0, 16));
            assertThrows(IllegalArgumentException.class, () -> attention.store(region, 0, 0, rows, x, 49, 16, x, 0, 16));
            assertThrows(IllegalArgumentException.class, () -> attention.store(region, 0, 0, rows, x, 0, 16, x, 49, 16));
            assertThrows(IllegalArgumentException.class, () -> attention.attend(region, 0, 0, rows, x, 0, 24, 3, 1, new float[64], 0, 24));
            assertThrows(IllegalArgumentException.class, () -> attention.attend(region, 0, 0, rows, x, 33, 32, 4, 1, new float[64], 0, 32));
            assertThrows(IllegalArgumentException.class, () -> attention.attend(region, 0, 0, rows, x, 0, 32, 4, 1, new float[31], 0, 32));
            rows.clear();
            rows.add(other.sequence(), 0);
            assertThrows(IllegalArgumentException.class, () -> attention.store(region, 0, 0, rows, x, 0, 16, x, 0, 16),
                    "another cache's sequence");
            assertThrows(IllegalArgumentException.class, () -> rows.add(sequence, -1));
        }
    }
}
