package io.github.kvern.kernels.vector;

/// Activations for the types of 256-value blocks: 8 bits with a scale per 256. In memory a 16-bit lane of such a block holds parts
/// of four values, that lie in four planes of 64 lanes: the low and the high nibble of the even byte, then of the odd byte.
///
/// ```
///   shorts  [block][plane][64 lanes]
///   biases  [block][half][plane pair][32 lanes]   only with an offset: -offset * (even + odd value), for the low and the high nibbles
///   sums    [block][8]                            sums of 32 values, groups 0 4 1 5 2 6 3 7: as a kernel finds their minimums
///   scales  [block]
/// ```
final class Bytes256 extends Arrangement {
    /// Q4_K and Q5_K.
    static final Bytes256 NIBBLES_32 = new Bytes256(32, 0);
    /// Q6_K.
    static final Bytes256 NIBBLES_64 = new Bytes256(64, 32);

    private final int[] order = new int[256];
    private final int offset;

    /// @param bytes in such a run half the values lie in the low nibbles, then half in the high nibbles (Q4_K, Q5_K: 32; Q6_K: 64)
    /// @param offset to take from every value
    private Bytes256(int bytes, int offset) {
        this.offset = offset;
        for (int lane = 0; lane < 64; lane++) {
            int even = 2 * lane / bytes * 2 * bytes + 2 * lane % bytes;
            order[lane] = even;
            order[64 + lane] = even + bytes;
            order[128 + lane] = even + 1;
            order[192 + lane] = even + bytes + 1;
        }
    }

    @Override
    public void room(Operand o, int k, int columns) {
        long all = (long) k * columns;
        o.room(0, all, offset == 0 ? 0 : all / 2, all / 32, all / 256);
    }

    @Override
    public void arrange(float[] x, int at, int k, int column, int from, int to, Operand o, int[] q, boolean vectors) {
        for (int i = from; i < to; i += 256) {
            int block = (column * k + i) / 256;
            o.scales[block] = Quantiser.block(x, at + i, 256, q, vectors);
            for (int j = 0; j < 8; j++) {
                int sum = 0;
                for (int l = 0; l < 32; l++) sum += q[32 * j + l];
                o.sums[8 * block + 2 * (j & 3) + j / 4] = sum;
            }
            short[] shorts = o.shorts;
            for (int j = 0; j < 256; j++) shorts[256 * block + j] = (short) q[order[j]];
            if (offset != 0) bias(shorts, 256 * block, o.biases, 128 * block);
        }
    }

    private void bias(short[] q, int at, short[] biases, int out) {
        for (int half = 0; half < 2; half++) {
            for (int lane = 0; lane < 32; lane++) {
                int a = at + 32 * half + lane;
                biases[out + 64 * half + lane] = (short) (-offset * (q[a] + q[a + 128]));
                biases[out + 64 * half + 32 + lane] = (short) (-offset * (q[a + 64] + q[a + 192]));
            }
        }
    }
}
