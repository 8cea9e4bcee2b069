package io.github.kvern.gguf;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/// The typed keys of a GGUF file. `require…` fails with key, expected and found; `find…` is empty when the key is absent, and
/// still fails when it is present with another type.
public final class Metadata {
    private final Map<String, Object> values;

    Metadata(Map<String, Object> values) {
        this.values = new LinkedHashMap<>(values);
    }

    /// The keys, in the file's order.
    public Set<String> keys() {
        return values.keySet();
    }

    /// Whether the file has this key.
    public boolean contains(String key) {
        return values.containsKey(key);
    }

    public String requireString(String key) { throw new UnsupportedOperationException(key); }
    public Optional<String> findString(String key) { throw new UnsupportedOperationException(key); }
    /// Any integer type whose value fits an `int`.
    public int requireInt(String key) { throw new UnsupportedOperationException(key); }
    public OptionalInt findInt(String key) { throw new UnsupportedOperationException(key); }
    /// F32 or F64 (an integer is accepted too).
    public float requireFloat(String key) { throw new UnsupportedOperationException(key); }
    public OptionalDouble findFloat(String key) { throw new UnsupportedOperationException(key); }
    public Optional<Boolean> findBoolean(String key) { throw new UnsupportedOperationException(key); }
    public List<String> requireStrings(String key) { throw new UnsupportedOperationException(key); }
    public Optional<List<String>> findStrings(String key) { throw new UnsupportedOperationException(key); }
    /// An array of any integer type; with a plain integer, an array of one.
    public Optional<int[]> findInts(String key) { throw new UnsupportedOperationException(key); }
    /// An array of F32 (or F64).
    public Optional<float[]> findFloats(String key) { throw new UnsupportedOperationException(key); }
}
