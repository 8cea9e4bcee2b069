package io.github.kvern.kernels.scalar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every type against ggml's own decoder: the fixtures (real rows, quantised by ggml) and random blocks (every point of every
/// grid, every bit of every scale).
final class EveryDecoderTest {
    /// CRC-32 of 65536 values that ggml 0.27 decodes from the bytes of [#random], as little-endian floats, every NaN being
    /// 0x7fc00000. F32, Q8_1 and Q8_K, which it does not decode, come from numpy.
    private static final Map<TensorType, String> RANDOM_BLOCKS = parse("""
        F32:99f8a576 F16:8246931c BF16:5207d99f Q4_0:93cd1062 Q4_1:463b8e47 Q5_0:590de505 Q5_1:2a78da5c Q8_0:86f68838
        Q8_1:e221606d Q2_K:fa7a90ce Q3_K:59d4e560 Q4_K:40a1ea29 Q5_K:ba79e09e Q6_K:09e87d30 Q8_K:b466dada IQ2_XXS:771b59cf
        IQ2_XS:fd8982f7 IQ2_S:c18c1e58 IQ3_XXS:b840f78f IQ3_S:9e59ba0c IQ1_S:d4ac78c3 IQ1_M:355cfabc IQ4_NL:4164c90a
        IQ4_XS:3f1cd4f9 TQ1_0:b7a5fb32 TQ2_0:5b7a627a MXFP4:8c65ac91 NVFP4:bf66a4dd Q1_0:478f1a52 Q2_0:9308666b""");

    static Stream<TensorType> weights() {
        return Arrays.stream(TensorType.values()).filter(Decoders::isWeight);
    }

    static Stream<Fixture> fixtures() {
        return Fixture.all().stream();
    }

    @Test
    void thirtyTypesAndEachHasAnswers() {
        Set<TensorType> weights = weights().collect(Collectors.toCollection(() -> EnumSet.noneOf(TensorType.class)));
        assertEquals(30, weights.size());
        assertEquals(weights, fixtures().map(Fixture::type).collect(Collectors.toSet()));
        assertEquals(weights, RANDOM_BLOCKS.keySet());
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void decodesTheFixtureBitForBit(Fixture f) {
        float[] all = new float[Fixture.ROWS * Fixture.COLUMNS];
        Decoders.decode(f.type(), f.quantised(), 0, all, 0, all.length);
        for (int i = 0; i < all.length; i++) same(f, f.decoded()[i], all[i], "value " + i);
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void decodesAPartInPlaceAndNothingElse(Fixture f) {
        int block = f.type().blockLength();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment odd = arena.allocate(f.quantised().byteSize() + 1).asSlice(1); // no alignment whatever
            odd.copyFrom(f.quantised());
            float[] target = new float[3 + block + 4];
            for (int b = 0; b < Fixture.ROWS * Fixture.COLUMNS / block; b++) {
                Arrays.fill(target, 77);
                Decoders.decode(f.type(), odd, f.type().rowBytes((long) b * block), target, 3, block);
                for (int i = 0; i < target.length; i++) {
                    float expected = i >= 3 && i < 3 + block ? f.decoded()[b * block + i - 3] : 77;
                    same(f, expected, target[i], "block " + b + ", value " + (i - 3));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("weights")
    void decodesRandomBlocksBitForBit(TensorType type) {
        int count = 65536;
        MemorySegment blocks = random(type, count);
        float[] values = new float[count];
        Decoders.decode(type, blocks, 0, values, 0, count);
        CRC32 crc = new CRC32();
        for (float v : values) {
            int bits = Float.floatToIntBits(v);
            for (int shift = 0; shift < 32; shift += 8) crc.update(bits >> shift);
        }
        assertEquals(RANDOM_BLOCKS.get(type), "%08x".formatted(crc.getValue()));
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void dotsWithFloats(Fixture f) {
        float[] x = new float[5 + Fixture.COLUMNS];
        System.arraycopy(Fixture.activation(), 0, x, 5, Fixture.COLUMNS);
        for (int row = 0; row < Fixture.ROWS; row++) {
            double exact = 0;
            double size = 0;
            float inOrder = 0;
            for (int k = 0; k < Fixture.COLUMNS; k++) {
                float w = f.decoded()[row * Fixture.COLUMNS + k];
                exact += (double) w * x[5 + k];
                size += Math.abs((double) w * x[5 + k]);
                inOrder = Math.fma(w, x[5 + k], inOrder);
            }
            if (f.dot().isPresent()) assertEquals(f.dot().get().exactFloat()[row], exact, 1e-12 * size, f + ", the answer for row " + row);
            long offset = row * f.type().rowBytes(Fixture.COLUMNS);
            float dot = ScalarDot.dot(f.type(), f.quantised(), offset, x, 5, Fixture.COLUMNS);
            assertEquals(exact, dot, 1e-5 * size, f + ", row " + row);
            same(f, inOrder, dot, "the order of additions in row " + row);
            float inParts = ScalarDot.dot(f.type(), f.quantised(), offset, x, 5, Fixture.COLUMNS, new float[f.type().blockLength() + 1]);
            same(f, dot, inParts, "dot by single blocks, row " + row);
        }
    }

    /// The activation types are decoded right when their products with the weights come out.
    @ParameterizedTest
    @MethodSource("fixtures")
    void dotsWithQuantisedActivations(Fixture f) {
        if (f.dot().isEmpty()) {
            assertTrue(f.type() == TensorType.Q8_1 || f.type() == TensorType.Q8_K, "only these two have no products");
            return;
        }
        Fixture.Dot answers = f.dot().get();
        float[] x = new float[Fixture.COLUMNS];
        Decoders.decode(answers.activationType(), answers.activation(), 0, x, 0, x.length);
        for (int row = 0; row < Fixture.ROWS; row++) {
            double exact = 0;
            double size = 0;
            for (int k = 0; k < x.length; k++) {
                exact += (double) f.decoded()[row * x.length + k] * x[k];
                size += Math.abs((double) f.decoded()[row * x.length + k] * x[k]);
            }
            assertEquals(answers.exactQuantised()[row], exact, 1e-12 * size, f + ", the answer for row " + row);
            float dot = ScalarDot.dot(f.type(), f.quantised(), row * f.type().rowBytes(x.length), x, 0, x.length);
            assertEquals(exact, dot, 1e-5 * size, f + ", row " + row);
        }
    }

    @ParameterizedTest
    @MethodSource("weights")
    void refusesWhatIsNotWhole(TensorType type) {
        int block = type.blockLength();
        MemorySegment one = MemorySegment.ofArray(new byte[type.blockBytes()]);
        float[] target = new float[2 * block];
        Decoders.decode(type, one, 0, target, 2 * block, 0); // nothing is whole
        assertThrows(IndexOutOfBoundsException.class, () -> Decoders.decode(type, one, 0, target, 0, 2 * block), "short source");
        assertThrows(IndexOutOfBoundsException.class, () -> Decoders.decode(type, one, -1, target, 0, block), "before the source");
        assertThrows(IndexOutOfBoundsException.class, () -> Decoders.decode(type, one, 0, target, block + 1, block), "short target");
        assertThrows(IndexOutOfBoundsException.class, () -> Decoders.decode(type, one, 0, target, Integer.MAX_VALUE - 1, block));
        assertThrows(IndexOutOfBoundsException.class, () -> Decoders.decode(type, one, 0, target, 0, -block), "negative count");
        if (block > 1) {
            assertThrows(IllegalArgumentException.class, () -> Decoders.decode(type, one, 0, target, 0, block / 2), "half a block");
            assertThrows(IllegalArgumentException.class, () -> ScalarDot.dot(type, one, 0, target, 0, block, new float[block - 1]));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"I8", "I16", "I32", "I64", "F64"})
    void refusesPlainNumbers(TensorType type) {
        MemorySegment source = MemorySegment.ofArray(new byte[8]);
        Exception e = assertThrows(UnsupportedModelException.class, () -> Decoders.decode(type, source, 0, new float[1], 0, 1));
        assertTrue(e.getMessage().contains(type.toString()), e.getMessage());
    }

    private static void same(Fixture f, float expected, float actual, String what) {
        int e = Float.floatToRawIntBits(expected);
        int a = Float.floatToRawIntBits(actual);
        if (e != a) assertEquals("%08x (%s)".formatted(e, expected), "%08x (%s)".formatted(a, actual), f + ", " + what);
    }

    /// Bytes that depend on the type alone, from a linear congruential generator that any language can repeat.
    private static MemorySegment random(TensorType type, int count) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[(int) type.rowBytes(count)]);
        long state = type.id();
        for (long i = 0; i < bytes.byteSize(); i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (state >>> 56));
        }
        return bytes;
    }

    private static Map<TensorType, String> parse(String table) {
        Map<TensorType, String> map = new HashMap<>();
        for (String entry : table.split("\\s+")) map.put(TensorType.valueOf(entry.split(":")[0]), entry.split(":")[1]);
        return map;
    }
}
