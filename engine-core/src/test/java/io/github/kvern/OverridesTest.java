package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.ModelFormatException;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OverridesTest {
    private static final Metadata FILE = file();

    private static Metadata file() {
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        values.put("u8", MetadataValue.of(MetadataType.UINT8, 1));
        values.put("u32", MetadataValue.of(MetadataType.UINT32, 1));
        values.put("i32", MetadataValue.of(MetadataType.INT32, 1));
        values.put("u64", MetadataValue.of(MetadataType.UINT64, 1));
        values.put("f32", MetadataValue.of(MetadataType.FLOAT32, 1));
        values.put("f64", MetadataValue.of(MetadataType.FLOAT64, 1));
        values.put("b", MetadataValue.of(MetadataType.BOOL, true));
        values.put("s", MetadataValue.of(MetadataType.STRING, "x"));
        values.put("a", MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts(1, 2)));
        return Metadata.of(values);
    }

    @ParameterizedTest
    @CsvSource({"u8=255, UINT8, 255", "u32=4294967295, UINT32, 4294967295", "i32=-7, INT32, -7",
            "u64=18446744073709551615, UINT64, 18446744073709551615",
            "u32=int:5, UINT32, 5", "u32=float:5, FLOAT32, 5.0", "f32=0.5, FLOAT32, 0.5", "f32=1e-5, FLOAT32, 1.0E-5",
            "f64=.25, FLOAT64, 0.25",
            "f64=float:3, FLOAT64, 3.0", "b=false, BOOL, false", "s=y:z, STRING, \"y:z\"", "s=str:int:7, STRING, \"int:7\"",
            "s=a=b, STRING, \"a=b\"",
            "s=, STRING, \"\"", "new=int:-9223372036854775808, INT64, -9223372036854775808", "new=float:1e38, FLOAT32, 1.0E38",
            "new=bool:true, BOOL, true",
            "new=str:, STRING, \"\""})
    void fits(String assignment, MetadataType type, String value) {
        Metadata corrected = ModelOptions.defaults().override(assignment).corrected(FILE);
        MetadataValue found = corrected.find(assignment.substring(0, assignment.indexOf('='))).orElseThrow();
        assertEquals(type, found.type());
        assertEquals(value, found.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"u8=256", "u8=-1", "u32=1.5", "u32=", "u32=x", "u32=0x10", "u32= 1", "i32=2147483648", "u64=18446744073709551616",
                    "u64=99999999999999999999999999999999999999999999999", "f32=1e39", "f32=NaN", "f32=Infinity", "f32=1f", "f32=0x1p3",
                    "f32=", "f64=1e400", "b=1",
                    "b=TRUE", "a=1", "a=int:1", "new=5", "new=", "new=u32:5", "new=int:", "new=float:x", "u32=i32:5", "b=bool:yes"})
    void doesNotFit(String assignment) {
        ModelOptions options = ModelOptions.defaults().override(assignment);
        String message = assertThrows(IllegalArgumentException.class, () -> options.corrected(FILE)).getMessage();
        String key = assignment.substring(0, assignment.indexOf('='));
        assertTrue(message.startsWith("override of key \"" + key + "\": expected ") && message.lines().count() == 1, message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "=", "=5", "key", "key:int:5", "general.alignment=64", "split.no=0", "split.count=int:1"})
    void noAssignment(String assignment) {
        assertThrows(IllegalArgumentException.class, () -> ModelOptions.defaults().override(assignment));
    }

    @Test
    void typed() {
        Metadata corrected = ModelOptions.defaults().override("u32", 9).override("f32", 0.125).override("b", false).override("s", "int:7")
                .override("new", "a")
                .corrected(FILE);
        assertEquals(MetadataValue.of(MetadataType.UINT32, 9), corrected.find("u32").orElseThrow());
        assertEquals(0.125f, corrected.requireFloat("f32"));
        assertEquals(false, corrected.findBoolean("b").orElseThrow());
        assertEquals("int:7", corrected.requireString("s"));
        assertEquals("a", corrected.requireString("new"));
        assertEquals(Arrays.asList(1, 2), Arrays.stream(corrected.findInts("a").orElseThrow()).boxed().toList());
        assertThrows(IllegalArgumentException.class, () -> ModelOptions.defaults().override("f32", Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> ModelOptions.defaults().override("s", "\ud800").corrected(FILE));
    }

    /// The value is used where the file's would be: another base of the rope gives other logits, a wrong number of heads no model.
    @Test
    void used() throws IOException {
        Fixture f = Fixture.of("llama").getFirst();
        int[] ids = f.tokens(), last = {ids.length - 1};
        float[][] plain;
        String identity;
        try (Model model = Model.load(f.path())) {
            plain = model.score(ids, last);
            identity = model.info().identity();
        }
        try (Model model = Model.load(f.path(),
                ModelOptions.defaults().override("llama.rope.freq_base=float:777").override("general.name", "other"))) {
            assertEquals(777f, model.info().metadata().requireFloat("llama.rope.freq_base"));
            assertEquals("other", model.info().name());
            assertNotEquals(identity, model.info().identity());
            assertNotEquals(Arrays.toString(plain[0]), Arrays.toString(model.score(ids, last)[0]));
        }
        try (Model model = Model.load(f.path(), ModelOptions.defaults().override("llama.context_length=77"))) {
            assertEquals(77, model.info().context());
            assertArrayEquals(plain[0], model.score(ids, last)[0]);
        }
        ModelOptions heads = ModelOptions.defaults().override("llama.attention.head_count", 3);
        assertThrows(ModelFormatException.class, () -> Model.load(f.path(), heads));
        ModelOptions wrong = ModelOptions.defaults().override("llama.context_length=long");
        assertThrows(IllegalArgumentException.class, () -> Model.load(f.path(), wrong));
    }
}
