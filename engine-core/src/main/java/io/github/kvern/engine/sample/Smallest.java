package io.github.kvern.engine.sample;

/// Finds and sorts the smallest of many different numbers, in place and without allocating: `java.util.Arrays.sort` orders everything
/// and may take buffers.
final class Smallest {
    private static final int FEW = 24;

    private Smallest() {
    }

    /// Moves the smallest numbers to the front, the largest of them last; on average in time linear in the range.
    ///
    /// @param a numbers, no two of the range equal
    /// @param from where the range begins
    /// @param to where the range ends, exclusive
    /// @param until where the smallest end, exclusive: above `from`, at most `to`
    static void select(long[] a, int from, int to, int until) {
        int nth = until - 1;
        while (to - from > FEW) {
            int pivot = partition(a, from, to);
            if (pivot == nth) return;
            if (nth < pivot) to = pivot;
            else from = pivot + 1;
        }
        insertionSort(a, from, to);
    }

    /// Sorts a range, ascending.
    static void sort(long[] a, int from, int to) {
        while (to - from > FEW) {
            int pivot = partition(a, from, to);
            if (pivot - from < to - pivot) { // the smaller side by recursion: the stack stays within log2 of the length
                sort(a, from, pivot);
                from = pivot + 1;
            } else {
                sort(a, pivot + 1, to);
                to = pivot;
            }
        }
        insertionSort(a, from, to);
    }

    private static void insertionSort(long[] a, int from, int to) {
        for (int i = from + 1; i < to; i++) {
            long x = a[i];
            int j = i;
            for (; j > from && a[j - 1] > x; j--) a[j] = a[j - 1];
            a[j] = x;
        }
    }

    /// The smaller ones before a pivot, the larger ones after it; its place. The pivot is the median of three whose places look random,
    /// so that no order that occurs (sorted, organ pipe) makes it slow.
    private static int partition(long[] a, int from, int to) {
        long random = Xoshiro.splitMix(from, to);
        int length = to - from;
        int m = median(a, from + (int) ((random & 0xFFFFF) * length >>> 20), from + (int) ((random >>> 20 & 0xFFFFF) * length >>> 20),
                from + (int) ((random >>> 40 & 0xFFFFF) * length >>> 20));
        long pivot = a[m];
        a[m] = a[from];
        a[from] = pivot;
        int i = from;
        int j = to;
        while (true) {
            do i++;
            while (i < to && a[i] < pivot);
            do j--;
            while (a[j] > pivot);
            if (i >= j) break;
            long swapped = a[i];
            a[i] = a[j];
            a[j] = swapped;
        }
        a[from] = a[j];
        a[j] = pivot;
        return j;
    }

    private static int median(long[] a, int i, int j, int k) {
        if (a[i] < a[j]) return a[j] < a[k] ? j : a[i] < a[k] ? k : i;
        return a[i] < a[k] ? i : a[j] < a[k] ? k : j;
    }
}
