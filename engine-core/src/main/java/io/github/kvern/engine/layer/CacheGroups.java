package io.github.kvern.engine.layer;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.Visible;
import java.util.ArrayList;
import java.util.List;

/// Collects layers into the cache's groups: layers of one group have heads of the same shape and see the same positions.
public final class CacheGroups {
    private final TensorType storage;
    private final List<KvLayout> groups = new ArrayList<>();

    /// @param storage F16 or F32
    public CacheGroups(TensorType storage) {
        this.storage = storage;
    }

    /// Where a layer's keys and values are.
    ///
    /// @param group the group's number
    /// @param layer the layer's number in the group
    public record Place(int group, int layer) {
    }

    /// Adds a layer.
    ///
    /// @param visible which positions a position sees
    public Place add(int heads, int keySize, int valueSize, Visible visible) {
        return add(heads, keySize, valueSize, visible, false);
    }

    /// Adds a layer that keeps one latent vector for all heads and sees everything.
    ///
    /// @param size values in a latent vector and its rope part
    /// @param valueSize values in a latent vector
    public Place addLatent(int size, int valueSize) {
        return add(1, size, valueSize, Visible.ALL, true);
    }

    private Place add(int heads, int keySize, int valueSize, Visible visible, boolean latent) {
        for (int i = 0; i < groups.size(); i++) {
            int layers = groups.get(i).layers();
            if (!groups.get(i).equals(new KvLayout(layers, heads, keySize, valueSize, storage, visible, latent))) continue;
            groups.set(i, new KvLayout(layers + 1, heads, keySize, valueSize, storage, visible, latent));
            return new Place(i, layers);
        }
        groups.add(new KvLayout(1, heads, keySize, valueSize, storage, visible, latent));
        return new Place(groups.size() - 1, 0);
    }

    /// The groups.
    public List<KvLayout> layouts() {
        return List.copyOf(groups);
    }
}
