package io.github.kvern;

/// How the cache stores keys and values.
public enum KvType {
    /// Half floats: two bytes a value.
    F16,
    /// Floats: four bytes a value, and the exact arithmetic of an exact model.
    F32
}
