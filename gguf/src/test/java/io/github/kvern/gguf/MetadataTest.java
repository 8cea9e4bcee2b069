package io.github.kvern.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Accessors say key, expected and found, and never a wrong number.
class MetadataTest {
    private static Metadata of(MetadataType type, Object value) {
        return Metadata.of(Map.of("llama.key", MetadataValue.of(type, value)));
    }

    private static Metadata array(MetadataType type, List<?> values) {
        return of(MetadataType.ARRAY, MetadataArray.of(type, values));
    }

    private static void refused(String expected, String found, Executable what) {
        String message = String.valueOf(assertThrows(ModelFormatException.class, what).getMessage());
        assertTrue(message.contains("\"llama.key\"") && message.contains("expected " + expected) && message.contains("found " + found),
                message);
    }

    @Test
    void anAbsentKeyIsEmptyOrRefusedWithAHint() {
        Metadata none = Metadata.of(Map.of("qwen2.key", MetadataValue.of(MetadataType.UINT8, 1)));
        assertFalse(none.contains("llama.key"));
        assertEquals(Optional.empty(), none.find("llama.key"));
        assertEquals(Optional.empty(), none.findString("llama.key"));
        assertEquals(OptionalInt.empty(), none.findInt("llama.key"));
        assertEquals(OptionalLong.empty(), none.findLong("llama.key"));
        assertEquals(OptionalDouble.empty(), none.findFloat("llama.key"));
        assertEquals(Optional.empty(), none.findBoolean("llama.key"));
        assertEquals(Optional.empty(), none.findStrings("llama.key"));
        assertEquals(Optional.empty(), none.findInts("llama.key"));
        assertEquals(Optional.empty(), none.findFloats("llama.key"));
        assertEquals(Optional.empty(), none.findBooleans("llama.key"));
        refused("a STRING", "no such key (there is \"qwen2.key\")", () -> none.requireString("llama.key"));
        refused("an integer", "no such key", () -> none.requireInt("llama.key"));
        refused("an integer", "no such key", () -> none.requireLong("llama.key"));
        refused("a FLOAT32", "no such key", () -> none.requireFloat("llama.key"));
        refused("an ARRAY of STRING", "no such key", () -> none.requireStrings("llama.key"));
    }

    @Test
    void integersOfEveryWidthMustFit() {
        for (MetadataType type : MetadataType.values()) if (type.isInteger()) {
            assertEquals(100, of(type, 100).requireInt("llama.key"), type.name());
            assertEquals(100L, of(type, 100).requireLong("llama.key"), type.name());
            assertEquals(100f, of(type, 100).requireFloat("llama.key"), type.name());
            assertArrayEquals(new int[] {100}, of(type, 100).findInts("llama.key").orElseThrow(), type.name());
            assertArrayEquals(new int[] {100, 7}, array(type, List.of(100, 7)).findInts("llama.key").orElseThrow(), type.name());
        }
        refused("an integer of 32 bits", "UINT32 2147483648", () -> of(MetadataType.UINT32, 1L << 31).requireInt("llama.key"));
        refused("an integer of 32 bits", "INT64 -2147483649", () -> of(MetadataType.INT64, -(1L << 31) - 1).findInt("llama.key"));
        BigInteger large = BigInteger.ONE.shiftLeft(63);
        refused("an integer of 64 bits", "UINT64 9223372036854775808", () -> of(MetadataType.UINT64, large).findLong("llama.key"));
        refused("an integer of 32 bits", "9223372036854775808", () -> array(MetadataType.UINT64, List.of(1, large)).findInts("llama.key"));
        refused("an integer of 32 bits", "4294967295", () -> array(MetadataType.UINT32, List.of(0xFFFF_FFFFL)).findInts("llama.key"));
        refused("an integer of 32 bits", "FLOAT32 1.0", () -> of(MetadataType.FLOAT32, 1).requireInt("llama.key"));
        refused("an integer of 32 bits", "BOOL true", () -> of(MetadataType.BOOL, true).requireInt("llama.key"));
        refused("an integer of 32 bits", "STRING \"7\"", () -> of(MetadataType.STRING, "7").requireInt("llama.key"));
        refused("an ARRAY of integers", "ARRAY of FLOAT32 [1.0]", () -> array(MetadataType.FLOAT32, List.of(1)).findInts("llama.key"));
    }

    @Test
    void floatsOfBothWidthsMustFit() {
        assertEquals(1.5f, of(MetadataType.FLOAT32, 1.5f).requireFloat("llama.key"));
        assertEquals(0.1f, of(MetadataType.FLOAT64, 0.1).requireFloat("llama.key"));
        assertEquals(OptionalDouble.of(0.1f), of(MetadataType.FLOAT64, 0.1).findFloat("llama.key"));
        assertEquals(Float.NEGATIVE_INFINITY, of(MetadataType.FLOAT64, Double.NEGATIVE_INFINITY).requireFloat("llama.key"));
        assertTrue(Float.isNaN(of(MetadataType.FLOAT64, Double.NaN).requireFloat("llama.key")));
        refused("a FLOAT32", "FLOAT64 1.0E300", () -> of(MetadataType.FLOAT64, 1e300).requireFloat("llama.key"));
        refused("a FLOAT32", "STRING", () -> of(MetadataType.STRING, "1.0").requireFloat("llama.key"));
        assertArrayEquals(new float[] {1, 2.5f}, array(MetadataType.FLOAT32, List.of(1, 2.5)).findFloats("llama.key").orElseThrow());
        assertArrayEquals(new float[] {1, 0.1f}, array(MetadataType.FLOAT64, List.of(1, 0.1)).findFloats("llama.key").orElseThrow());
        refused("a FLOAT32", "-1.0E300", () -> array(MetadataType.FLOAT64, List.of(1, -1e300)).findFloats("llama.key"));
        refused("an ARRAY of FLOAT32", "ARRAY of INT32 [1]", () -> array(MetadataType.INT32, List.of(1)).findFloats("llama.key"));
        refused("an ARRAY of FLOAT32", "FLOAT32 1.0", () -> of(MetadataType.FLOAT32, 1).findFloats("llama.key"));
    }

    @Test
    void textAndClaims() {
        assertEquals("x", of(MetadataType.STRING, "x").requireString("llama.key"));
        assertEquals(Optional.of(true), of(MetadataType.BOOL, true).findBoolean("llama.key"));
        assertEquals(List.of("a", "b"), array(MetadataType.STRING, List.of("a", "b")).requireStrings("llama.key"));
        assertArrayEquals(new boolean[] {true, false},
                array(MetadataType.BOOL, List.of(true, false)).findBooleans("llama.key").orElseThrow());
        refused("a STRING", "UINT8 1", () -> of(MetadataType.UINT8, 1).findString("llama.key"));
        refused("a BOOL", "UINT8 1", () -> of(MetadataType.UINT8, 1).findBoolean("llama.key"));
        refused("an ARRAY of STRING", "STRING \"a\"", () -> of(MetadataType.STRING, "a").requireStrings("llama.key"));
        refused("an ARRAY of STRING", "ARRAY of INT32 [1, 2, 3, 4, ... (5)]",
                () -> array(MetadataType.INT32, List.of(1, 2, 3, 4, 5)).requireStrings("llama.key"));
        refused("an ARRAY of BOOL", "ARRAY of UINT8", () -> array(MetadataType.UINT8, List.of(1)).findBooleans("llama.key"));
    }

    @Test
    void anEmptyArrayIsOneOfAnyType() {
        for (MetadataType type : MetadataType.values()) {
            Metadata empty = array(type, List.of());
            assertEquals(List.of(), empty.requireStrings("llama.key"), type.name());
            assertEquals(0, empty.findInts("llama.key").orElseThrow().length, type.name());
            assertEquals(0, empty.findFloats("llama.key").orElseThrow().length, type.name());
            assertEquals(0, empty.findBooleans("llama.key").orElseThrow().length, type.name());
        }
    }

    @Test
    void whatIsHandedOutCannotChangeIt() {
        Map<String, MetadataValue> source = new LinkedHashMap<>(
                Map.of("llama.key", MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts(1, 2))));
        Metadata metadata = Metadata.of(source);
        source.clear();
        metadata.findInts("llama.key").orElseThrow()[0] = 9;
        assertArrayEquals(new int[] {1, 2}, metadata.findInts("llama.key").orElseThrow());
        assertThrows(UnsupportedOperationException.class, () -> metadata.keys().clear());
        Metadata floats = of(MetadataType.ARRAY, MetadataArray.ofFloats(1, 2));
        floats.findFloats("llama.key").orElseThrow()[0] = 9;
        assertArrayEquals(new float[] {1, 2}, floats.findFloats("llama.key").orElseThrow());
        Metadata strings = array(MetadataType.STRING, List.of("a"));
        assertThrows(UnsupportedOperationException.class, () -> strings.requireStrings("llama.key").set(0, "b"));
        assertThrows(UnsupportedOperationException.class,
                () -> ((MetadataArray) strings.find("llama.key").orElseThrow().value()).asList().set(0, "b"));
    }

    @Test
    void withReplacesOneValueInACopy() {
        Metadata one = of(MetadataType.UINT8, 1);
        Metadata two = one.with("llama.key", MetadataValue.of(MetadataType.UINT8, 2)).with("other",
                MetadataValue.of(MetadataType.BOOL, true));
        assertEquals(1, one.requireInt("llama.key"));
        assertEquals(2, two.requireInt("llama.key"));
        assertEquals(List.of("llama.key", "other"), List.copyOf(two.keys()));
        assertNotEquals(one, two);
        assertEquals(one, two.with("llama.key", MetadataValue.of(MetadataType.UINT8, 1)).without("other"));
    }
}
