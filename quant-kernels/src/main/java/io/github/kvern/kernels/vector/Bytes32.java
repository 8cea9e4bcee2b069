package io.github.kvern.kernels.vector;

/// Activations for the types of 32-value blocks: 8 bits with a scale per 32, in the planes in which the bytes of a block hold the
/// values.
///
/// ```
///   shorts  Q8_0: [two blocks][even values of one, even ones of the other, odd ones, odd ones]; a last block alone: [even, odd]
///           Q4_0: [block][32]
///   biases  [block][8]    only with an offset: -offset * (sum of the four values that meet in a lane)
///   scales  [block]
/// ```
final class Bytes32 extends Arrangement {
    /// Q8_0: 16 lanes of two bytes.
    static final Bytes32 BYTES = new Bytes32(false);
    /// Q4_0: 8 lanes of two bytes of two nibbles: low and high nibbles of the even bytes, then of the odd bytes; an offset of 8.
    static final Bytes32 NIBBLES = new Bytes32(true);

    private final int[] order = new int[32];
    private final int lanes;
    private final int offset;

    private Bytes32(boolean nibbles) {
        lanes = nibbles ? 8 : 16;
        offset = nibbles ? 8 : 0;
        for (int lane = 0; lane < lanes; lane++) {
            if (nibbles) {
                order[lane] = 2 * lane;
                order[8 + lane] = 16 + 2 * lane;
                order[16 + lane] = 2 * lane + 1;
                order[24 + lane] = 17 + 2 * lane;
            } else {
                order[lane] = 2 * lane;
                order[16 + lane] = 2 * lane + 1;
            }
        }
    }

    @Override
    public void room(Operand o, int k, int columns) {
        long all = (long) k * columns;
        o.room(0, all, offset == 0 ? 0 : all / 4, 0, all / 32);
    }

    @Override
    public void arrange(float[] x, int at, int k, int column, int from, int to, Operand o, int[] q, boolean vectors) {
        for (int i = from; i < to; i += 32) {
            int block = (column * k + i) / 32;
            o.scales[block] = Quantiser.block(x, at + i, 32, q, vectors);
            boolean paired = offset == 0 && (i & -64) + 64 <= k;
            int start = 32 * block - (paired && i % 64 != 0 ? 16 : 0), odd = paired ? 16 : 0; // the odd ones begin so much later
            for (int j = 0; j < 32; j++) o.shorts[start + j + (j < 16 ? 0 : odd)] = (short) q[order[j]];
            for (int lane = 0; offset != 0 && lane < lanes; lane++) {
                int sum = 0;
                for (int j = lane; j < 32; j += lanes) sum += q[order[j]];
                o.biases[lanes * block + lane] = (short) (-offset * sum);
            }
        }
    }
}
