package io.github.kvern.kernels;

import static io.github.kvern.kernels.scalar.LittleEndian.half;
import static io.github.kvern.kernels.scalar.LittleEndian.signedByte;
import static io.github.kvern.kernels.scalar.LittleEndian.unsignedByte;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Quantise8;
import java.lang.foreign.MemorySegment;

/// The arithmetic of packed weights in plain loops, from the file's blocks.
final class PackedTwin {
    private PackedTwin() {}

    static float dot(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        return switch (type) {
            case Q4_K, Q5_K, Q6_K -> blocks256(type, w, at, x, xAt, k);
            case Q4_0, Q8_0 -> blocks32(type, w, at, x, xAt, k);
            default -> throw new IllegalArgumentException(type.toString());
        };
    }

    private static float blocks256(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        byte[] q = new byte[k];
        float[] d = new float[k / 256];
        Quantise8.blocks256(x, xAt, k, q, 0, d, 0);
        float y = 0;
        for (int block = 0; block < k / 256; block++, at += type.blockBytes()) {
            int sum = 0, minimum = 0;
            for (int i = 0; i < 256; i++) {
                int a = q[256 * block + i], g = i / 32;
                if (type == TensorType.Q6_K) {
                    int low = unsignedByte(w, at + i / 128 * 64 + i % 64) >> i / 64 % 2 * 4 & 15;
                    int high = unsignedByte(w, at + 128 + i / 128 * 32 + i % 32) >> i / 32 % 4 * 2 & 3;
                    sum += signedByte(w, at + 192 + i / 16) * ((low | high << 4) - 32) * a;
                } else {
                    int value = unsignedByte(w, at + type.blockBytes() - 128 + i / 64 * 32 + i % 32) >> g % 2 * 4 & 15;
                    if (type == TensorType.Q5_K) value |= (unsignedByte(w, at + 16 + i % 32) >> g & 1) << 4;
                    sum += scale(w, at, g) * value * a;
                    minimum += minimum(w, at, g) * a;
                }
            }
            y = Math.fma(half(w, type == TensorType.Q6_K ? at + 208 : at) * d[block], (float) sum, y);
            if (type != TensorType.Q6_K) y = Math.fma(half(w, at + 2) * -d[block], (float) minimum, y);
        }
        return y;
    }

    private static float blocks32(TensorType type, MemorySegment w, long at, float[] x, int xAt, int k) {
        byte[] q = new byte[k];
        float[] d = new float[k / 32];
        Quantise8.blocks32(x, xAt, k, q, 0, d, 0);
        float y = 0;
        for (int block = 0; block < k / 32; block++, at += type.blockBytes()) {
            int sum = 0;
            for (int i = 0; i < 32; i++) {
                int value = type == TensorType.Q8_0 ? signedByte(w, at + 2 + i) : (unsignedByte(w, at + 2 + i % 16) >> i / 16 * 4 & 15) - 8;
                sum += value * q[32 * block + i];
            }
            y = Math.fma(half(w, at) * d[block], (float) sum, y);
        }
        return y;
    }

    private static int scale(MemorySegment w, long at, int j) {
        return j < 4 ? unsignedByte(w, at + 4 + j) & 63 : unsignedByte(w, at + 8 + j) & 15 | unsignedByte(w, at + j) >> 6 << 4;
    }

    private static int minimum(MemorySegment w, long at, int j) {
        return j < 4 ? unsignedByte(w, at + 8 + j) & 63 : unsignedByte(w, at + 8 + j) >> 4 | unsignedByte(w, at + 4 + j) >> 6 << 4;
    }
}
