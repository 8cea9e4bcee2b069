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
        for (int i = 0; i < groups.size(); i++) {
            KvLayout g = groups.get(i);
            if (g.heads() != heads || g.keySize() != keySize || g.valueSize() != valueSize || !g.visible().equals(visible)) continue;
            groups.set(i, new KvLayout(g.layers() + 1, heads, keySize, valueSize, storage, visible));
            return new Place(i, g.layers());
        }
        groups.add(new KvLayout(1, heads, keySize, valueSize, storage, visible));
        return new Place(groups.size() - 1, 0);
    }

    /// The groups.
    public List<KvLayout> layouts() {
        return List.copyOf(groups);
    }
}
