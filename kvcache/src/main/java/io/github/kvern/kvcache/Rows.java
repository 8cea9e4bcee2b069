package io.github.kvern.kvcache;

import java.util.Arrays;

/// The ragged batch as the cache sees it: for each row its sequence and position. Rows of one sequence with consecutive positions,
/// added one after the other, form a run, and runs are worked on together. Reusable: after warm-up it allocates nothing.
///
/// Used by one thread.
public final class Rows {
    private Sequence[] sequences = new Sequence[0];
    private int[] positions = new int[16];
    private int[] runs = new int[16]; // first rows
    private int count;
    private int runCount;

    /// No rows.
    public Rows() {
    }

    /// Forgets all rows.
    public void clear() {
        count = 0;
        runCount = 0;
    }

    /// Adds a row. Its key and value must be stored before anything attends to them, so the position must have been reserved.
    public void add(Sequence sequence, int position) {
        if (position < 0) throw new IllegalArgumentException("position " + position);
        if (count >= sequences.length) {
            int room = Math.max(16, 2 * count);
            Sequence[] more = new Sequence[room];
            System.arraycopy(sequences, 0, more, 0, count);
            Arrays.fill(more, count, room, sequence);
            sequences = more;
            positions = Arrays.copyOf(positions, room);
            runs = Arrays.copyOf(runs, room);
        }
        if (count == 0 || sequences[count - 1] != sequence || positions[count - 1] != position - 1) runs[runCount++] = count;
        sequences[count] = sequence;
        positions[count++] = position;
    }

    /// How many rows there are.
    public int count() {
        return count;
    }

    public Sequence sequence(int row) {
        return sequences[row];
    }

    public int position(int row) {
        return positions[row];
    }

    /// How many runs there are: stretches of rows that are neighbouring positions of one sequence.
    public int runs() {
        return runCount;
    }

    /// The first row of a run.
    public int runStart(int run) {
        return runs[run];
    }

    /// The last row of a run, and one.
    public int runEnd(int run) {
        return run + 1 < runCount ? runs[run + 1] : count;
    }
}
