package io.github.kvern.kernels.scalar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Blocks written byte by byte from the drawings, with answers worked out on paper.
final class BlockByHandTest {
    private static final short TWO = Float.floatToFloat16(2);
    private static final short HALF = Float.floatToFloat16(0.5f);

    @Test
    void floats() {
        ByteBuffer b = block(TensorType.F32, 3).putFloat(1.5f).putFloat(Float.NEGATIVE_INFINITY).putInt(1);
        assertArrayEquals(new float[] {1.5f, Float.NEGATIVE_INFINITY, Float.MIN_VALUE}, decode(TensorType.F32, b));
        b = block(TensorType.F16, 5);
        for (int bits : new int[] {0x3c00, 0x0001, 0xfbff, 0x8000, 0x7c00}) b.putShort((short) bits);
        assertArrayEquals(new float[] {1, 0x1p-24f, -65504, -0f, Float.POSITIVE_INFINITY}, decode(TensorType.F16, b));
        b = block(TensorType.BF16, 3).putShort((short) 0x3f80).putShort((short) 0xc049).putShort((short) 0x0001);
        assertArrayEquals(new float[] {1, -3.140625f, 0x1p-133f}, decode(TensorType.BF16, b));
    }

    @Test
    void q4_0HasTheSecondHalfInTheHighNibbles() {
        float[] x = decode(TensorType.Q4_0, block(TensorType.Q4_0, 1).putShort(TWO).put((byte) 0xf0).put((byte) 0x79));
        assertEquals(-16, x[0]);
        assertEquals(14, x[16]);
        assertEquals(2, x[1]);
        assertEquals(-2, x[17]);
        assertEquals(-16, x[2], "a zero byte is -8 twice");
    }

    @Test
    void q4_1AndQ5_1AddAnOffset() {
        float[] x = decode(TensorType.Q4_1, block(TensorType.Q4_1, 1).putShort(TWO).putShort(HALF).put((byte) 0xf1));
        assertEquals(2.5f, x[0]);
        assertEquals(30.5f, x[16]);
        assertEquals(0.5f, x[31]);
        x = decode(TensorType.Q5_1, block(TensorType.Q5_1, 1).putShort(TWO).putShort(HALF).putInt(1 << 16 | 1 << 31).put((byte) 0xf1));
        assertEquals(2.5f, x[0]);
        assertEquals(62.5f, x[16]);
        assertEquals(32.5f, x[31]);
    }

    @Test
    void q5_0HasTheFifthBitsApart() {
        float[] x = decode(TensorType.Q5_0, block(TensorType.Q5_0, 1).putShort(TWO).putInt(1 | 1 << 17).put((byte) 0x2f).put((byte) 0x30));
        assertEquals(30, x[0], "31 - 16");
        assertEquals(-28, x[16], "2 - 16");
        assertEquals(-32, x[1], "0 - 16");
        assertEquals(6, x[17], "3 + 16 - 16");
    }

    @Test
    void q8TypesAreSigned() {
        float[] x = decode(TensorType.Q8_0, block(TensorType.Q8_0, 1).putShort(HALF).put((byte) -128).put(33, (byte) 127));
        assertEquals(-64, x[0]);
        assertEquals(63.5f, x[31]);
        x = decode(TensorType.Q8_1, block(TensorType.Q8_1, 1).putShort(HALF).putShort(TWO).put((byte) -128));
        assertEquals(-64, x[0]);
        x = decode(TensorType.Q8_K, block(TensorType.Q8_K, 1).putFloat(-3).put((byte) -127).put(259, (byte) 1));
        assertEquals(381, x[0]);
        assertEquals(-3, x[255]);
    }

    @Test
    void q2_K() {
        ByteBuffer b = block(TensorType.Q2_K, 1).putShort(80, TWO).putShort(82, HALF);
        b.put(0, (byte) 0x43).put(15, (byte) 0x1f); // group 0: s 3, m 4; group 15: s 15, m 1
        b.put(16, (byte) 0b11100100).put(79, (byte) 0b11000000);
        float[] x = decode(TensorType.Q2_K, b);
        assertEquals(-2, x[0], "2 * 3 * 0 - 0.5 * 4");
        assertEquals(0, x[32], "group 2 has no scale");
        assertEquals(89.5f, x[255], "2 * 15 * 3 - 0.5 * 1");
        b.put(2, (byte) 1).put(4, (byte) 1).put(6, (byte) 1);
        x = decode(TensorType.Q2_K, b);
        assertEquals(2, x[32]);
        assertEquals(4, x[64]);
        assertEquals(6, x[96]);
    }

    @Test
    void q3_K() {
        ByteBuffer b = block(TensorType.Q3_K, 1).putShort(108, TWO);
        float[] x = decode(TensorType.Q3_K, b);
        for (float v : x) assertEquals(256, v, "2 * (0 - 32) * (0 - 4)");
        // group 13 (values 208..223): low nibble of the scale in the high nibble of byte 5, bits 4 and 5 in bits 6 and 7 of byte 9
        b.put(96 + 5, (byte) 0x30).put(96 + 9, (byte) 0x80); // 3 + 32 - 32
        b.put(32 + 32 + 16, (byte) 0b00010000); // half 1, second 16 bytes: value 64 + 16 of the half = 208 has q 1
        b.put(16, (byte) 0b01000000); // bit 6 of byte 16: value 32 * 6 + 16 = 208 has the high bit
        x = decode(TensorType.Q3_K, b);
        assertEquals(6, x[208], "2 * 3 * (5 - 4)");
        assertEquals(-24, x[209], "2 * 3 * (0 - 4)");
        assertEquals(256, x[207]);
        assertEquals(256, x[224]);
    }

    @Test
    void q4_KAndQ5_KPackScales() {
        byte[] scales = new byte[12];
        scales[1] = 63; // s of group 1
        scales[5] = 5; // m of group 1
        scales[11] = (byte) 0x94; // group 7: s low 4, m low 9
        scales[3] = (byte) 0b11_000010; // group 7: s high 3; group 3: s 2
        scales[7] = (byte) 0b01_000000; // group 7: m high 1
        ByteBuffer b = block(TensorType.Q4_K, 1).putShort(TWO).putShort(HALF).put(scales);
        b.put(16 + 31, (byte) 0x70).put(143, (byte) 0xf0).put(16 + 32, (byte) 0x10);
        float[] x = decode(TensorType.Q4_K, b);
        assertEquals(0, x[31]);
        assertEquals(879.5f, x[63], "2 * 63 * 7 - 0.5 * 5");
        assertEquals(1547.5f, x[255], "2 * (4 + 48) * 15 - 0.5 * (9 + 16)");
        assertEquals(-12.5f, x[254]);
        assertEquals(4, x[96], "2 * 2 * 1");
        b = block(TensorType.Q5_K, 1).putShort(TWO).putShort(HALF).put(scales);
        b.put(16 + 31, (byte) 0b10000010).put(48 + 31, (byte) 0x70).put(175, (byte) 0xf0);
        x = decode(TensorType.Q5_K, b);
        assertEquals(2895.5f, x[63], "2 * 63 * (7 + 16) - 0.5 * 5");
        assertEquals(3211.5f, x[255], "2 * 52 * (15 + 16) - 0.5 * 25");
        assertEquals(-12.5f, x[254]);
    }

    @Test
    void q6_K() {
        ByteBuffer b = block(TensorType.Q6_K, 1).putShort(208, TWO).put(192, (byte) 1).put(192 + 15, (byte) -128).put(192 + 10, (byte) 3);
        b.put(0, (byte) 0xf5).put(127, (byte) 0xa0).put(191, (byte) 0b10_000000); // value 255: 10 + 2 * 16
        b.put(64 + 32, (byte) 0x0c).put(128 + 32, (byte) 0b00_00_11_00); // value 128 + 32: 12 + 3 * 16
        float[] x = decode(TensorType.Q6_K, b);
        assertEquals(-54, x[0], "2 * 1 * (5 - 32)");
        assertEquals(-2560, x[255], "2 * -128 * (42 - 32)");
        assertEquals(168, x[160], "2 * 3 * (60 - 32)");
    }

    @Test
    void ternaryTypes() {
        ByteBuffer b = block(TensorType.TQ1_0, 1).putShort(52, TWO);
        // digits 0 1 2 2 1: 0*81 + 1*27 + 2*9 + 2*3 + 1 = 52 of 243, in 256ths rounded up 55
        b.put(3, (byte) 55).put(32, (byte) 55).put(51, (byte) 55);
        float[] x = decode(TensorType.TQ1_0, b);
        assertArrayEquals(new float[] {-2, 0, 2, 2, 0}, new float[] {x[3], x[35], x[67], x[99], x[131]});
        assertArrayEquals(new float[] {-2, 0, 2, 2, 0}, new float[] {x[160], x[176], x[192], x[208], x[224]});
        assertArrayEquals(new float[] {-2, 0, 2, 2}, new float[] {x[243], x[247], x[251], x[255]});
        b = block(TensorType.TQ2_0, 1).putShort(64, TWO).put(0, (byte) 0b11100100).put(63, (byte) 0b01000000);
        x = decode(TensorType.TQ2_0, b);
        assertArrayEquals(new float[] {-2, 0, 2, 4, 0}, new float[] {x[0], x[32], x[64], x[96], x[255]});
    }

    @Test
    void microscalingFloats() {
        float[] x = decode(TensorType.MXFP4, block(TensorType.MXFP4, 1).put((byte) 128).put((byte) 0x71).put((byte) 0xf8));
        assertArrayEquals(new float[] {1, 0, 12, -12}, new float[] {x[0], x[1], x[16], x[17]});
        assertEquals(0x1.8p-127f, decode(TensorType.MXFP4, block(TensorType.MXFP4, 1).put(1, (byte) 3))[0], "a denormal");
        assertEquals(0x1.8p127f, decode(TensorType.MXFP4, block(TensorType.MXFP4, 1).put((byte) 254).put(1, (byte) 3))[0]);
        x = decode(TensorType.NVFP4, block(TensorType.NVFP4, 1).put((byte) 0x38).put((byte) 0x41).put((byte) 0x01).put((byte) 0x7f)
                .put(4, (byte) 0x21).put(12, (byte) 0x21).put(20, (byte) 0x07).put(28, (byte) 0x21));
        assertArrayEquals(new float[] {0.5f, 1}, new float[] {x[0], x[8]}, "1.0");
        assertArrayEquals(new float[] {1.125f, 2.25f}, new float[] {x[16], x[24]}, "2 * (1 + 1/8)");
        assertEquals(6 * 0x1p-9f, x[32], "the least denormal");
        assertEquals(0, x[48], "0x7f is zero");
    }

    @Test
    void oneAndTwoBits() {
        float[] x = decode(TensorType.Q1_0, block(TensorType.Q1_0, 1).putShort(TWO).put((byte) 2).put(17, (byte) 0x80));
        assertArrayEquals(new float[] {-2, 2, -2, 2}, new float[] {x[0], x[1], x[126], x[127]});
        x = decode(TensorType.Q2_0, block(TensorType.Q2_0, 1).putShort(TWO).put((byte) 0b11100100).put(17, (byte) 0x80));
        assertArrayEquals(new float[] {-2, 0, 2, 4, 2}, new float[] {x[0], x[1], x[2], x[3], x[63]});
    }

    @Test
    void unevenLevels() {
        float[] x = decode(TensorType.IQ4_NL, block(TensorType.IQ4_NL, 1).putShort(TWO).put((byte) 0xf0));
        assertArrayEquals(new float[] {-254, 226}, new float[] {x[0], x[16]});
        ByteBuffer b = block(TensorType.IQ4_XS, 1).putShort(TWO).putShort((short) 0x8000).put(7, (byte) 0x50).put(135, (byte) 0x80);
        x = decode(TensorType.IQ4_XS, b);
        assertEquals(10, x[255], "2 * (5 + 32 - 32) * 1");
        assertEquals(-1270, x[254], "2 * 5 * -127");
        assertEquals(8128, x[0], "2 * -32 * -127");
    }

    @Test
    void gridsAndSigns() {
        // point 0 of every grid is the smallest value eight times
        float[] x = decode(TensorType.IQ2_XXS, block(TensorType.IQ2_XXS, 1).putShort(TWO).putInt(0).putInt(0x30000001));
        assertArrayEquals(new float[] {-14, 14, 14, 14, 14, 14, 14, -14}, Arrays.copyOf(x, 8), "2 * 3.5 / 4 * 8, an even number of signs");
        assertEquals(2, x[255], "2 * 0.5 / 4 * 8");
        x = decode(TensorType.IQ2_XS, block(TensorType.IQ2_XS, 1).putShort(TWO).putShort((short) (3 << 9)).put(66, (byte) 0x20));
        assertArrayEquals(new float[] {-2, -2, 2, 2, 2, 2, 2, 2}, Arrays.copyOf(x, 8));
        assertEquals(10, x[16], "2 * 2.5 / 4 * 8");
        x = decode(TensorType.IQ2_S, block(TensorType.IQ2_S, 1).putShort(TWO).put(34, (byte) 0x80).put(66, (byte) 3).put(2, (byte) 0xff));
        float last = 10.75f; // the last point is 43 eight times: 2 * 0.5 / 4 * 43
        assertArrayEquals(new float[] {last, last, last, last, last, last, last, -last}, Arrays.copyOf(x, 8));
        x = decode(TensorType.IQ3_XXS, block(TensorType.IQ3_XXS, 1).putShort(TWO).putInt(66, 0x10000040));
        assertArrayEquals(new float[] {6, 6, 6, 6, 6, 6, -6, -6}, Arrays.copyOf(x, 8), "2 * 1.5 / 2 * 4, an even number of signs");
        x = decode(TensorType.IQ3_S, block(TensorType.IQ3_S, 1).putShort(TWO).put(106, (byte) 0x21).put(74, (byte) 1));
        assertArrayEquals(new float[] {-6, 6, 6, 6, 6, 6, 6, 6}, Arrays.copyOf(x, 8), "2 * (1 + 2) * 1");
        assertEquals(10, x[32], "2 * (1 + 4) * 1");
        x = decode(TensorType.IQ1_S, block(TensorType.IQ1_S, 1).putShort(TWO).putShort(34, (short) 0x9000).put(2, (byte) 0));
        assertEquals(-6.75f, x[0], "2 * 3 * (-1 - 0.125)");
        assertEquals(-1.75f, x[32], "2 * 1 * (-1 + 0.125)");
        ByteBuffer b = block(TensorType.IQ1_M, 1).putShort(54, (short) 0x4000); // the highest quarter of the half 2.0
        b.put(32, (byte) 0x08).putShort(48, (short) 1);
        x = decode(TensorType.IQ1_M, b);
        assertEquals(-6.75f, x[0], "2 * 3 * (-1 - 0.125)");
        assertEquals(-5.25f, x[8], "2 * 3 * (-1 + 0.125)");
        assertEquals(-1.75f, x[16], "2 * 1 * (-1 + 0.125)");
    }

    @Test
    void aScaleThatIsNoNumberIsNotHidden() {
        for (TensorType type : new TensorType[] {TensorType.Q4_0, TensorType.Q8_0, TensorType.Q4_K, TensorType.IQ2_XXS, TensorType.Q1_0}) {
            float[] x = decode(type, block(type, 1).putShort((short) 0x7e00));
            for (float v : x) assertTrue(Float.isNaN(v), type.toString());
        }
    }

    private static ByteBuffer block(TensorType type, int blocks) {
        return ByteBuffer.allocate(blocks * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static float[] decode(TensorType type, ByteBuffer bytes) {
        float[] values = new float[bytes.capacity() / type.blockBytes() * type.blockLength()];
        Decoders.decode(type, MemorySegment.ofArray(bytes.array()), 0, values, 0, values.length);
        return values;
    }
}
