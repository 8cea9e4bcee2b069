package io.github.kvern.kernels;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.signedByte;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import io.github.kvern.kernels.scalar.Quantise8;
import java.lang.foreign.MemorySegment;

/// The arithmetic of the row kernels in plain loops: the same virtual lanes, the same roundings.
final class FastTwin {
    private FastTwin() {}

    static float dot(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        return switch (type) {
            case F32, F16, BF16 -> floats(type, w, at, x, xAt, k);
            case Q8_0, Q4_0 -> blocks32(type, w, at, x, xAt, k);
            case Q4_K, Q5_K -> nibbles(type, w, at, x, xAt, k);
            case Q6_K -> q6k(w, at, x, xAt, k);
            default -> throw new IllegalArgumentException(type.toString());
        };
    }

    private static float floats(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        float[] row = new float[k];
        Decoders.decode(type, w, at, row, 0, k);
        float[] lanes = new float[64];
        for (int i = 0; i < (k + 63) / 64 * 64; i++) {
            int lane = type == TensorType.F32 ? i % 64 : i % 64 / 32 * 32 + i % 2 * 16 + i % 32 / 2;
            lanes[lane] = i < k ? Math.fma(row[i], x[xAt + i], lanes[lane]) : Math.fma(0f, 0f, lanes[lane]);
        }
        float[] sums = new float[16];
        for (int i = 0; i < 16; i++) sums[i] = lanes[i] + lanes[16 + i] + (lanes[32 + i] + lanes[48 + i]);
        return sum(sums, 0, 16);
    }

    private static float blocks32(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        byte[] q = new byte[k];
        float[] d = new float[k / 32];
        Quantise8.blocks32(x, xAt, k, q, 0, d, 0);
        float[] lanes = new float[16];
        int width = type == TensorType.Q8_0 ? 8 : 4;
        for (int block = 0; block < k / 32; block++, at += type.blockBytes()) {
            int[] t = new int[width];
            for (int i = 0; i < 32; i++) {
                int weight = width == 8 ? signedByte(w, at + 2 + i) : (unsignedByte(w, at + 2 + i % 16) >> i / 16 * 4 & 15) - 8;
                t[i % (4 * width) / 4] += weight * q[32 * block + i];
            }
            int sum = block % (16 / width) * width;
            for (int l = 0; l < width; l++) lanes[sum + l] = Math.fma((float) t[l], half(w, at) * d[block], lanes[sum + l]);
        }
        if (width == 4) { // the sums have taken turns
            float[] turned = new float[16];
            for (int i = 0; i < 16; i++) turned[i] = lanes[(i + k / 32 * 4) % 16];
            lanes = turned;
        }
        return sum(lanes, 0, 16);
    }

    private static float nibbles(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        byte[] q = new byte[k];
        float[] d = new float[k / 256];
        Quantise8.blocks256(x, xAt, k, q, 0, d, 0);
        float[] lanes = new float[16];
        float[] minimums = new float[8];
        long quants = type == TensorType.Q4_K ? 16 : 48;
        for (int block = 0; block < k / 256; block++, at += type.blockBytes()) {
            int[] t = new int[16];
            int[] sums = new int[8];
            for (int b = 0; b < 128; b++) {
                for (int high = 0; high < 2; high++) {
                    int group = b / 32 * 2 + high;
                    int a = q[256 * block + 32 * group + b % 32];
                    int value = unsignedByte(w, at + quants + b) >> 4 * high & 15;
                    if (type == TensorType.Q5_K) value |= (unsignedByte(w, at + 16 + b % 32) >> group & 1) << 4;
                    t[b / 4 % 16] += scale(w, at, group) * value * a;
                    sums[group] += a;
                }
            }
            float scale = half(w, at) * d[block];
            float minimum = half(w, at + 2) * d[block];
            for (int l = 0; l < 16; l++) lanes[l] = Math.fma((float) t[l], scale, lanes[l]);
            for (int l = 0; l < 8; l++) {
                int group = l / 2 + l % 2 * 4;
                minimums[l] = Math.fma((float) (minimum(w, at, group) * sums[group]), minimum, minimums[l]);
            }
        }
        return sum(lanes, 0, 16) - sum(minimums, 0, 8);
    }

    private static int scale(MemorySegment w, long at, int j) {
        return j < 4 ? unsignedByte(w, at + 4 + j) & 63 : unsignedByte(w, at + 8 + j) & 15 | unsignedByte(w, at + j) >> 6 << 4;
    }

    private static int minimum(MemorySegment w, long at, int j) {
        return j < 4 ? unsignedByte(w, at + 8 + j) & 63 : unsignedByte(w, at + 8 + j) >> 4 | unsignedByte(w, at + 4 + j) >> 6 << 4;
    }

    private static float q6k(MemorySegment w, long at, float[] x, int xAt, int k) {
        byte[] q = new byte[k];
        float[] d = new float[k / 256];
        Quantise8.blocks256(x, xAt, k, q, 0, d, 0);
        float[] lanes = new float[16];
        for (int block = 0; block < k / 256; block++, at += 210) {
            int[] t = new int[16];
            for (int i = 0; i < 256; i++) {
                int low = unsignedByte(w, at + i / 128 * 64 + i % 64) >> i / 64 % 2 * 4 & 15;
                int high = unsignedByte(w, at + 128 + i / 128 * 32 + i % 32) >> i / 32 % 4 * 2 & 3;
                t[i % 64 / 4] += signedByte(w, at + 192 + i / 16) * ((low | high << 4) - 32) * q[256 * block + i];
            }
            for (int l = 0; l < 16; l++) lanes[l] = Math.fma((float) t[l], half(w, at + 208) * d[block], lanes[l]);
        }
        return sum(lanes, 0, 16);
    }

    /// Halves are added until one is left.
    private static float sum(float[] v, int at, int count) {
        float[] s = new float[count];
        System.arraycopy(v, at, s, 0, count);
        for (int n = count / 2; n > 0; n /= 2) for (int i = 0; i < n; i++) s[i] += s[i + n];
        return s[0];
    }
}
