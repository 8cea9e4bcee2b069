package io.github.kvern.kernels.vector;

import io.github.kvern.gguf.TensorType;

/// What the packed kernels compute, in plain loops over the file's blocks and with the same bits: what computes until they are
/// compiled. Arrays and not segments: without the optimising compiler an access to a segment takes many times longer.
public final class PackedPlain {
    private PackedPlain() {}

    /// One row times one column of a group.
    ///
    /// @param w rows as in the file
    /// @param at where the row begins
    /// @param k values in it
    /// @param before columns of the operand before the group, with their padding
    /// @param width of the group
    /// @param column in the group
    /// @param packed the type's packed layout
    /// @param alone whether the column is multiplied by itself
    public static float row(TensorType type, byte[] w, int at, int k, PackedOperand x, int before, int width, int column,
            PackedType packed, boolean alone) {
        int length = type.blockLength(), start = before * k + column, scale = before * (k / length) + column;
        float y = 0;
        for (int i = 0; i < k; i += length, at += type.blockBytes(), scale += width) {
            int q = start + i * width;
            float a = x.scales[scale];
            y = switch (type) {
                case Q8_0, Q4_0 -> Math.fma(half(w, at) * a, (float) small(type, w, at, x, q, width, packed, alone), y);
                case Q6_K -> Math.fma(half(w, at + 208) * a, (float) six(w, at, x, q, width, packed, alone), y);
                case Q4_K, Q5_K -> nibbles(type, w, at, x, q, width, packed, alone, a, y);
                default -> throw new IllegalArgumentException(type + " has no packed layout");
            };
        }
        return y;
    }

    private static int small(TensorType type, byte[] w, int at, PackedOperand x, int q, int width,
            PackedType packed, boolean alone) {
        int sum = 0;
        for (int i = 0; i < 32; i++, q += width) {
            int v = type == TensorType.Q8_0 ? w[at + 2 + i] : (w[at + 2 + i % 16] >> i / 16 * 4 & 15) - 8;
            sum += v * x.value(packed, alone, q);
        }
        return sum;
    }

    private static int six(byte[] w, int at, PackedOperand x, int q, int width,
            PackedType packed, boolean alone) {
        int sum = 0;
        for (int group = 0; group < 16; group++) {
            int low = at + group / 8 * 64 + group % 4 * 16, high = at + 128 + group / 8 * 32 + group % 2 * 16;
            int lowShift = group / 4 % 2 * 4, highShift = group / 2 % 4 * 2, part = 0;
            for (int j = 0; j < 16; j++, q += width) {
                int v = w[low + j] >> lowShift & 15 | (w[high + j] >> highShift & 3) << 4;
                part += (v - 32) * x.value(packed, alone, q);
            }
            sum += w[at + 192 + group] * part;
        }
        return sum;
    }

    private static float nibbles(TensorType type, byte[] w, int at, PackedOperand x, int q, int width, PackedType packed,
            boolean alone, float a,
            float y) {
        int sum = 0, minimum = 0;
        int quants = at + type.blockBytes() - 128;
        for (int group = 0; group < 8; group++) {
            int part = 0, all = 0;
            for (int j = 0; j < 32; j++, q += width) {
                int v = w[quants + group / 2 * 32 + j] >> group % 2 * 4 & 15;
                if (type == TensorType.Q5_K) v |= (w[at + 16 + j] >> group & 1) << 4;
                int b = x.value(packed, alone, q);
                part += v * b;
                all += b;
            }
            sum += scale(w, at + 4, at + 12, group, 0) * part;
            minimum += scale(w, at + 8, at + 12, group, 4) * all;
        }
        y = Math.fma(half(w, at) * a, (float) sum, y);
        return Math.fma(half(w, at + 2) * -a, (float) minimum, y);
    }

    private static float half(byte[] w, int at) {
        return Float.float16ToFloat((short) (w[at] & 0xff | w[at + 1] << 8));
    }

    /// As [RowKernel#scale].
    private static int scale(byte[] w, int first, int last, int j, int shift) {
        if (j < 4) return w[first + j] & 63;
        return w[last + j - 4] >>> shift & 15 | (w[first + j - 4] & 0xc0) >>> 2;
    }
}
