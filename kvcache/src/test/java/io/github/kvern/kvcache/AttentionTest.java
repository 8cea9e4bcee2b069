package io.github.kvern.kvcache;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kvern.gguf.TensorType;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Attention against a plain double reference, and the promise that a row's bits depend on nothing but the row.
class AttentionTest {
    private static KvLayout layout(int heads, int keySize, int valueSize, TensorType storage, Visible visible) {
        return new KvLayout(2, heads, keySize, valueSize, storage, visible);
    }

    /// All positions at once, one by one, and in uneven steps; random shapes.
    @Test
    void agreesWithTheReferenceAndDoesNotDependOnTheSteps() {
        for (long seed = 1; seed <= 48; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int[] sizes = {8, 16, 20, 32, 40, 64, 80, 128};
            Visible[] kinds = {Visible.ALL, Visible.chunk(64), Visible.chunk(128), Visible.chunk(96), Visible.chunk(7), Visible.chunk(1),
                    Visible.window(1), Visible.window(2), Visible.window(16), Visible.window(63), Visible.window(64), Visible.window(65),
                    Visible.window(128), Visible.window(300), Visible.window(1000)};
            KvLayout layout = layout(1 + random.nextInt(3), sizes[random.nextInt(8)], sizes[random.nextInt(8)],
                    random.nextBoolean() ? TensorType.F32 : TensorType.F16, kinds[random.nextInt(kinds.length)]);
            if (random.nextInt(3) == 0)
                layout = new KvLayout(2, layout.heads(), layout.keySize(), 1 + random.nextInt(layout.keySize()), layout.storage(),
                        layout.visible(), true);
            int positions = 1 + random.nextInt(random.nextBoolean() ? 70 : 600);
            Talk talk = new Talk(layout, 1 + random.nextInt(5), positions, seed);
            float[][] whole = talk.run(1, positions);
            String what = "seed " + seed + ", " + layout + ", " + talk.sharing + " query heads share, " + positions + " positions";
            for (int check = 0; check < 40; check++) {
                int layer = random.nextInt(2), position = check == 0 ? positions - 1 : random.nextInt(positions),
                        head = random.nextInt(layout.heads() * talk.sharing);
                double[] expected = talk.expected(layer, position, head);
                int at = position * talk.outWidth() + head * layout.valueSize();
                for (int i = 0; i < expected.length; i++)
                    assertEquals(expected[i], whole[layer][at + i], 3e-6,
                            what + ", layer " + layer + ", position " + position + ", head " + head + ", value " + i);
            }
            int[] ones = new int[positions];
            Arrays.fill(ones, 1);
            assertSame(whole, talk.run(1, ones), what + ", one by one");
            int first = random.nextInt(positions + 1);
            assertSame(whole, talk.run(2, first, positions - first), what + ", in two steps, two threads");
            assertSame(whole, talk.run(3, positions), what + ", three threads");
        }
    }

    static void assertSame(float[][] expected, float[][] actual, String what) {
        for (int l = 0; l < expected.length; l++)
            for (int i = 0; i < expected[l].length; i++)
                if (Float.floatToRawIntBits(expected[l][i]) != Float.floatToRawIntBits(actual[l][i]))
                    throw new AssertionError(
                            what + ": layer " + l + ", value " + i + " is " + actual[l][i] + ", expected " + expected[l][i]);
    }
}
