package io.github.kvern.gguf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/// The typed keys of a GGUF file. `require…` fails with key, expected and found; `find…` is empty when the key is absent, and
/// still fails when it is present with another type: both with a [ModelFormatException] that names the file and the key. Immutable,
/// thread-safe, and valid after the file is closed.
///
/// Strings are read as UTF-8. Bytes that are no UTF-8 become U+FFFD, so that a vocabulary with an odd token still loads; keys
/// that are no UTF-8 are refused with the file.
public final class Metadata {
    private final Map<String, MetadataValue> values;
    private final String source;

    /// @param values copied, in this order
    /// @param source what messages call the place the values come from: the file
    Metadata(Map<String, MetadataValue> values, String source) {
        this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        this.source = source;
    }

    /// Metadata that comes from no file: messages call their source `metadata`.
    ///
    /// @param values copied; their order is that of [#keys()], and the one that [GgufWriter] writes
    public static Metadata of(Map<String, MetadataValue> values) {
        return new Metadata(values, "metadata");
    }

    /// This metadata with one value added at the end, or replaced in its place.
    public Metadata with(String key, MetadataValue value) {
        Map<String, MetadataValue> changed = new LinkedHashMap<>(values);
        changed.put(key, value);
        return new Metadata(changed, source);
    }

    /// This metadata with one key removed, if it is there.
    public Metadata without(String key) {
        Map<String, MetadataValue> changed = new LinkedHashMap<>(values);
        changed.remove(key);
        return new Metadata(changed, source);
    }

    /// The keys, in the file's order. Cannot be changed.
    public Set<String> keys() {
        return values.keySet();
    }

    /// Whether the file has this key.
    public boolean contains(String key) {
        return values.containsKey(key);
    }

    /// The value as it is in the file, with its type.
    public Optional<MetadataValue> find(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /// A STRING.
    ///
    /// @throws ModelFormatException if the key is absent or of another type
    public String requireString(String key) {
        return findString(key).orElseThrow(() -> absent(key, "a STRING"));
    }

    /// A STRING, if the key is there.
    ///
    /// @throws ModelFormatException if the key is of another type
    public Optional<String> findString(String key) {
        MetadataValue found = values.get(key);
        if (found == null) return Optional.empty();
        if (found.value() instanceof String text) return Optional.of(text);
        throw wrong(key, "a STRING", found);
    }

    /// Any integer type whose value fits an `int`.
    ///
    /// @throws ModelFormatException if the key is absent, of another type, or larger
    public int requireInt(String key) {
        return findInt(key).orElseThrow(() -> absent(key, "an integer of 32 bits"));
    }

    /// Any integer type whose value fits an `int`, if the key is there.
    ///
    /// @throws ModelFormatException if the key is of another type, or larger
    public OptionalInt findInt(String key) {
        MetadataValue found = values.get(key);
        if (found == null) return OptionalInt.empty();
        if (found.value() instanceof Long number && number == number.intValue()) return OptionalInt.of(number.intValue());
        throw wrong(key, "an integer of 32 bits", found);
    }

    /// Any integer type whose value fits a `long`.
    ///
    /// @throws ModelFormatException if the key is absent, of another type, or larger
    public long requireLong(String key) {
        return findLong(key).orElseThrow(() -> absent(key, "an integer of 64 bits"));
    }

    /// Any integer type whose value fits a `long`, if the key is there.
    ///
    /// @throws ModelFormatException if the key is of another type, or larger
    public OptionalLong findLong(String key) {
        MetadataValue found = values.get(key);
        if (found == null) return OptionalLong.empty();
        if (found.value() instanceof Long number) return OptionalLong.of(number);
        throw wrong(key, "an integer of 64 bits", found);
    }

    /// FLOAT32 or FLOAT64 (an integer is accepted too), rounded to a `float`. A finite number that is too large for one is
    /// refused; infinities and NaN pass as they are.
    ///
    /// @throws ModelFormatException if the key is absent, of another type, or too large
    public float requireFloat(String key) {
        return (float) findFloat(key).orElseThrow(() -> absent(key, "a FLOAT32"));
    }

    /// As [#requireFloat(String)], if the key is there; the double is exactly the float.
    ///
    /// @throws ModelFormatException if the key is of another type, or too large
    public OptionalDouble findFloat(String key) {
        MetadataValue found = values.get(key);
        if (found == null) return OptionalDouble.empty();
        if (found.value() instanceof Number number) {
            float narrow = number.floatValue();
            if (!Float.isInfinite(narrow) || Double.isInfinite(number.doubleValue())) return OptionalDouble.of(narrow);
        }
        throw wrong(key, "a FLOAT32", found);
    }

    /// A BOOL, if the key is there.
    ///
    /// @throws ModelFormatException if the key is of another type
    public Optional<Boolean> findBoolean(String key) {
        MetadataValue found = values.get(key);
        if (found == null) return Optional.empty();
        if (found.value() instanceof Boolean claim) return Optional.of(claim);
        throw wrong(key, "a BOOL", found);
    }

    /// An ARRAY of STRING. The list cannot be changed.
    ///
    /// @throws ModelFormatException if the key is absent or of another type
    public List<String> requireStrings(String key) {
        return findStrings(key).orElseThrow(() -> absent(key, "an ARRAY of STRING"));
    }

    /// An ARRAY of STRING, if the key is there. The list cannot be changed.
    ///
    /// @throws ModelFormatException if the key is of another type
    public Optional<List<String>> findStrings(String key) {
        return array(key, "an ARRAY of STRING", MetadataType.STRING)
                .map(a -> Collections.unmodifiableList(Arrays.asList((String[]) a.storage())));
    }

    /// An array of any integer type whose values fit an `int`; with a plain integer, an array of one. A new array every time.
    ///
    /// @throws ModelFormatException if the key is of another type, or an element larger
    public Optional<int[]> findInts(String key) {
        MetadataValue found = values.get(key);
        if (found != null && found.type().isInteger()) return Optional.of(new int[] {requireInt(key)});
        return array(key, "an ARRAY of integers").map(a -> {
            int[] ints = new int[a.size()];
            for (int i = 0; i < ints.length; i++) {
                long number = a.longAt(i);
                ints[i] = (int) number;
                if (ints[i] != number)
                    throw new ModelFormatException(source + ": key " + Text.quote(key) + ", element " + i
                            + ": expected an integer of 32 bits, found " + a.get(i));
            }
            return ints;
        });
    }

    /// An array of FLOAT32, or of FLOAT64 rounded, if the key is there. A new array every time.
    ///
    /// @throws ModelFormatException if the key is of another type, or an element too large
    public Optional<float[]> findFloats(String key) {
        return array(key, "an ARRAY of FLOAT32", MetadataType.FLOAT32, MetadataType.FLOAT64).map(a -> {
            if (a.storage() instanceof float[] floats) return floats.clone();
            double[] wide = (double[]) a.storage();
            float[] floats = new float[wide.length];
            for (int i = 0; i < wide.length; i++) {
                floats[i] = (float) wide[i];
                if (Float.isInfinite(floats[i]) && !Double.isInfinite(wide[i]))
                    throw new ModelFormatException(
                            source + ": key " + Text.quote(key) + ", element " + i + ": expected a FLOAT32, found " + wide[i]);
            }
            return floats;
        });
    }

    /// An array of BOOL, if the key is there. A new array every time.
    ///
    /// @throws ModelFormatException if the key is of another type
    public Optional<boolean[]> findBooleans(String key) {
        return array(key, "an ARRAY of BOOL", MetadataType.BOOL).map(a -> {
            boolean[] claims = new boolean[a.size()];
            for (int i = 0; i < claims.length; i++) claims[i] = (Boolean) a.get(i);
            return claims;
        });
    }

    /// The array under a key when its elements are of one of these types; any integer type when none is named. An empty array
    /// is taken whatever it says its elements would have been.
    private Optional<MetadataArray> array(String key, String expected, MetadataType... types) {
        MetadataValue found = values.get(key);
        if (found == null) return Optional.empty();
        if (found.value() instanceof MetadataArray array) {
            MetadataType type = array.elementType();
            if (types.length == 0 ? type.isInteger() : List.of(types).contains(type)) return Optional.of(array);
            MetadataType likely = types.length == 0 ? MetadataType.INT32 : types[0];
            if (array.isEmpty()) return Optional.of(new MetadataArray(likely, MetadataArray.allocate(likely, 0)));
        }
        throw wrong(key, expected, found);
    }

    private ModelFormatException absent(String key, String expected) {
        List<String> near = new ArrayList<>();
        String last = key.substring(key.lastIndexOf('.') + 1);
        for (String other : values.keySet()) if (other.endsWith("." + last) && near.size() < 3) near.add(Text.quote(other));
        String hint = near.isEmpty() ? "" : " (there is " + String.join(", ", near) + ")";
        return new ModelFormatException(source + ": expected " + expected + " under key " + Text.quote(key) + ", found no such key" + hint);
    }

    private ModelFormatException wrong(String key, String expected, MetadataValue found) {
        return new ModelFormatException(
                source + ": key " + Text.quote(key) + ": expected " + expected + ", found " + found.typeName() + " " + found);
    }

    /// Whether keys and values are the same, in any order; where they come from does not count.
    @Override
    public boolean equals(Object other) {
        return other instanceof Metadata that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /// How many keys there are.
    @Override
    public String toString() {
        return source + ": " + values.size() + " keys";
    }
}
