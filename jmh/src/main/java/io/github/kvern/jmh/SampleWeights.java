package io.github.kvern.jmh;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/// Random blocks whose scales are small numbers: what a kernel computes with must be finite, or it might be faster or slower than on
/// a real model.
final class SampleWeights {
    /// Bytes that are made; larger tensors repeat them.
    private static final int MADE = 1 << 24;

    private SampleWeights() {}

    static MemorySegment of(TensorType type, long bytes, Arena arena) {
        int block = type.blockBytes();
        byte[] made = new byte[(int) Math.min(bytes, MADE - MADE % block)];
        SplittableRandom random = new SplittableRandom(1);
        random.nextBytes(made);
        ByteBuffer b = ByteBuffer.wrap(made).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + block <= made.length; at += block) scale(type, b, at, random);
        MemorySegment s = arena.allocate(bytes, 64);
        for (long at = 0; at < bytes; at += made.length)
            MemorySegment.copy(made, 0, s, ValueLayout.JAVA_BYTE, at, (int) Math.min(made.length, bytes - at));
        return s;
    }

    private static void scale(TensorType type, ByteBuffer b, int at, SplittableRandom random) {
        switch (type) {
            case F32 -> b.putFloat(at, (float) random.nextGaussian());
            case BF16 -> b.putShort(at, (short) (Float.floatToIntBits((float) random.nextGaussian()) >>> 16));
            case Q4_K, Q5_K, Q4_1, Q5_1 -> {
                half(b, at, random);
                half(b, at + 2, random);
            }
            case Q2_K -> {
                half(b, at + 80, random);
                half(b, at + 82, random);
            }
            case Q3_K -> half(b, at + 108, random);
            case Q6_K -> half(b, at + 208, random);
            case MXFP4 -> b.put(at, (byte) 120);
            default -> half(b, at, random);
        }
    }

    private static void half(ByteBuffer b, int at, SplittableRandom random) {
        b.putShort(at, Float.floatToFloat16((float) random.nextDouble(0.001, 0.01)));
    }
}
