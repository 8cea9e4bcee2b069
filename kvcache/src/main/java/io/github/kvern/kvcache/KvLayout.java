package io.github.kvern.kvcache;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.AttentionOps;

/// How one group of layers, which see the same positions, keeps keys and values.
///
/// @param layers how many layers
/// @param heads key/value heads
/// @param keySize values in a key
/// @param valueSize values in a value
/// @param storage F32 or F16
/// @param visible which positions a position sees
/// @param latent whether a value is the first `valueSize` values of its key, and is not stored a second time
public record KvLayout(int layers, int heads, int keySize, int valueSize, TensorType storage, Visible visible, boolean latent) {
    /// @throws IllegalArgumentException when a number is out of range or the cache cannot store the type
    public KvLayout {
        if (layers < 1 || heads < 1 || keySize < 1 || valueSize < 1)
            throw new IllegalArgumentException(
                    "a cache layout needs layers, heads, key and value sizes of at least 1, found "
                            + layers + " layers, " + heads + " heads of " + keySize + " and " + valueSize);
        if (storage != TensorType.F32 && storage != TensorType.F16)
            throw new IllegalArgumentException("the cache stores F32 or F16, not " + storage);
        if (Math.max(keySize, valueSize) > 1 << 20) // blocks are read into arrays of 64 times as many floats
            throw new IllegalArgumentException("a key or value of " + Math.max(keySize, valueSize) + " values is too wide for the cache");
        if (latent && valueSize > keySize)
            throw new IllegalArgumentException("values of " + valueSize + " are to be part of keys of " + keySize);
    }

    /// Keys and values of their own.
    public KvLayout(int layers, int heads, int keySize, int valueSize, TensorType storage, Visible visible) {
        this(layers, heads, keySize, valueSize, storage, visible, false);
    }

    /// Bytes of one page: [PagePool#POSITIONS] positions of every layer of the group.
    public long pageBytes() {
        return Math.multiplyExact(Math.multiplyExact((long) layers, heads), keyBytes() + valueBytes());
    }

    /// The first position that `position` sees.
    int firstVisible(int position) {
        return visible.first(position);
    }

    /// Where the block of one layer's and head's keys begins in a page; the values follow it.
    long keysAt(int layer, int head) {
        return ((long) layer * heads + head) * (keyBytes() + valueBytes());
    }

    long valuesAt(int layer, int head) {
        return keysAt(layer, head) + keyBytes();
    }

    private long keyBytes() {
        return AttentionOps.keyBytes(storage, keySize);
    }

    private long valueBytes() {
        return latent ? 0 : AttentionOps.valueBytes(storage, valueSize);
    }
}
