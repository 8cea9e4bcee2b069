package io.github.kvern.kvcache;

import io.github.kvern.gguf.TensorType;

/// How one group of layers, which see the same positions, keeps keys and values.
///
/// @param layers how many layers
/// @param heads key/value heads
/// @param keySize values in a key
/// @param valueSize values in a value
/// @param storage F32 or F16
/// @param chunk positions see only their own aligned run of so many positions; 0: everything before them
public record KvLayout(int layers, int heads, int keySize, int valueSize, TensorType storage, int chunk) {
}
