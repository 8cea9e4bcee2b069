package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.PackedTile;
import org.jspecify.annotations.Nullable;

/// Buffers that belong to one worker and live as long as the team. Contents do not survive from one task to the next.
public final class WorkerScratch {
    private final int worker;
    private final float[][] floats = new float[12][];
    private int[] ints = {};
    private @Nullable PackedTile tile;
    private @Nullable RestoredRows restored;

    WorkerScratch(int worker) {
        this.worker = worker;
        for (int i = 0; i < floats.length; i++) floats[i] = new float[0];
    }

    /// The worker's number, from 0; 0 is the thread that runs the region.
    public int worker() {
        return worker;
    }

    /// A float buffer of at least this size.
    ///
    /// @param slot 0 to 11: a task that needs several buffers at once takes several slots
    public float[] floats(int slot, int size) {
        if (floats[slot].length < size) floats[slot] = new float[size];
        return floats[slot];
    }

    /// An int buffer of at least this size.
    int[] ints(int size) {
        if (ints.length < size) ints = new int[size];
        return ints;
    }

    /// The buffers of a tile of packed weights.
    PackedTile tile() {
        PackedTile t = tile;
        if (t == null) tile = t = new PackedTile();
        return t;
    }

    /// Rows of packed weights as in the file.
    RestoredRows restoredRows() {
        RestoredRows r = restored;
        if (r == null) restored = r = new RestoredRows();
        return r;
    }
}
