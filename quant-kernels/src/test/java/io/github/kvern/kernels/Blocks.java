package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Weights to test with.
final class Blocks {
    private static final byte[] EDGES = {0, -1, 127, -128, 1, 0x7c, (byte) 0xfc, 0x3c};

    private Blocks() {}

    /// Bytes of `rows` rows whose values are random, finite and of sane size.
    static MemorySegment random(TensorType type, int rows, int columns, SplittableRandom random) {
        byte[] all = new byte[Math.toIntExact(rows * type.rowBytes(columns))];
        byte[] block = new byte[type.blockBytes()];
        for (int at = 0; at < all.length; at += block.length) {
            fill(type, block, random);
            System.arraycopy(block, 0, all, at, block.length);
        }
        return direct(all);
    }

    /// Rows of bytes that lie at the edges: zeros, ones, the largest and the smallest numbers, infinities, not-a-numbers, subnormals.
    static MemorySegment edges(TensorType type, int rows, int columns, SplittableRandom random) {
        byte[] all = new byte[Math.toIntExact(rows * type.rowBytes(columns))];
        for (int at = 0; at < all.length; at += type.blockBytes()) {
            byte[] block = new byte[type.blockBytes()];
            switch (random.nextInt(4)) {
                case 0 -> Arrays.fill(block, EDGES[random.nextInt(EDGES.length)]);
                case 1 -> random.nextBytes(block);
                case 2 -> fill(type, block, random);
                default -> {
                    for (int i = 0; i < block.length; i++) block[i] = EDGES[random.nextInt(EDGES.length)];
                }
            }
            System.arraycopy(block, 0, all, at, block.length);
        }
        return direct(all);
    }

    private static void fill(TensorType type, byte[] block, SplittableRandom random) {
        ByteBuffer bytes = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
        float value = (float) random.nextGaussian();
        switch (type) {
            case F32 -> bytes.putFloat(value);
            case F16 -> bytes.putShort(Float.floatToFloat16(value));
            case BF16 -> bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
            default -> {
                float[] values = new float[type.blockLength()];
                float largest;
                do {
                    random.nextBytes(block);
                    Decoders.decode(type, MemorySegment.ofArray(block), 0, values, 0, values.length);
                    largest = 0;
                    for (float v : values) largest = Math.max(largest, Math.abs(v)); // NaN stays
                } while (!(largest >= 1e-4f && largest < 100));
            }
        }
    }

    /// Off the heap, at an odd address, as a mapped file may have it.
    private static MemorySegment direct(byte[] bytes) {
        MemorySegment segment = java.lang.foreign.Arena.ofAuto().allocate(bytes.length + 1L).asSlice(1);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    static float[] gaussian(int count, SplittableRandom random) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) x[i] = (float) random.nextGaussian();
        return x;
    }
}
