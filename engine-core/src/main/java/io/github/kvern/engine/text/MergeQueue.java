package io.github.kvern.engine.text;

import java.util.Arrays;

/// Candidates for merging, the best first: a binary heap of `long`s, so that a word of a million characters costs no object and no
/// quadratic time. A candidate is its order (ascending, signed) in the upper and a position in the lower half; the leftmost of
/// equals comes first. Entries are never removed early: who takes one checks whether it still holds.
final class MergeQueue {
    private long[] heap = new long[64];
    private int size;

    void add(int order, int position) {
        if (size == heap.length) heap = Arrays.copyOf(heap, size * 2);
        long entry = (long) order << 32 | position;
        int at = size++;
        while (at > 0) {
            int parent = at - 1 >> 1;
            if (heap[parent] <= entry) break;
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = entry;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /// Removes the best: its order in the upper, its position in the lower half.
    long take() {
        long best = heap[0];
        long last = heap[--size];
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) child++;
            if (heap[child] >= last) break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = last;
        return best;
    }
}
