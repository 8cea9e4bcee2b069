package io.github.kvern.engine.text;

import java.util.Arrays;

/// Token ids in the making: an `int[]` that grows.
public final class Ids {
    private int[] values = new int[64];
    private int size;

    /// Adds an id at the end.
    public void add(int id) {
        if (size == values.length) grow(1);
        values[size++] = id;
    }

    /// How many there are.
    public int size() {
        return size;
    }

    /// Adds again what was added before.
    ///
    /// @param from index of the first id to repeat
    /// @param count how many to repeat
    void repeat(int from, int count) {
        if (count > values.length - size) grow(count);
        System.arraycopy(values, from, values, size, count);
        size += count;
    }

    /// A copy of the ids.
    public int[] toArray() {
        return Arrays.copyOf(values, size);
    }

    private void grow(int least) {
        values = Arrays.copyOf(values, Math.max(values.length * 2, Math.addExact(size, least)));
    }
}
