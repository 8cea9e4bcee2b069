package io.github.kvern.testdata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonTest {
    @Test
    void readsEveryKindOfValue() {
        Map<String, Object> o = Json.object(Json.parse(
                " {\"a\" : [1, -2.5e-3,0], \"b\":{}, \"c\":[ ],\"d\":true,\"e\":false, \"f\":null,\"g\":\"x\"}\n"));
        assertEquals(List.of("a", "b", "c", "d", "e", "f", "g"), List.copyOf(o.keySet()));
        assertEquals(List.of(1.0, -0.0025, 0.0), o.get("a"));
        assertEquals(Map.of(), o.get("b"));
        assertEquals(List.of(), o.get("c"));
        assertEquals(true, o.get("d"));
        assertEquals(false, o.get("e"));
        assertSame(Json.NULL, o.get("f"));
        assertEquals("x", o.get("g"));
        assertArrayEquals(new int[] {3, -4}, Json.ints(Json.parse("[3,-4]")));
        assertThrows(ArithmeticException.class, () -> Json.ints(Json.parse("[0.5]")));
    }

    @Test
    void readsEscapes() {
        assertEquals("\"\\/\b\f\n\r\té\uD83D\uDE00", Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "[", "[1", "[1,]", "[,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1,\"a\":2}",
            "01", "1.", ".5", "+1", "--1", "1e", "NaN", "tru", "nul", "t rue", "\"", "\"\\", "\"\\x\"", "\"\\u12\"",
            "\"\\u12g4\"", "\"\\u+123\"", "\"\n\"", "1 2", "[1 2]", "'a'", "[]]"})
    void refusesWhatIsNotJson(String text) {
        assertThrows(IllegalArgumentException.class, () -> Json.parse(text));
    }

    @Test
    void refusesDepthWithoutOverflow() {
        assertThrows(IllegalArgumentException.class, () -> Json.parse("[".repeat(1_000_000)));
    }
}
