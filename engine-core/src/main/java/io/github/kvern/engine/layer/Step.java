package io.github.kvern.engine.layer;

import io.github.kvern.kvcache.Rows;
import io.github.kvern.kvcache.Sequence;
import java.util.Arrays;

/// One forward pass's worth of work: a ragged batch. Each row has a token, a position, a sequence, and whether its logits are
/// wanted; one prompt, one token and eight conversations are the same thing. Reusable; belongs to the driver.
public final class Step {
    private final Rows rows = new Rows();
    private int[] tokens = new int[64];
    private int[] wanted = new int[64];
    private int wantedCount;
    private volatile boolean abandoned;

    /// Empties the step.
    public void clear() {
        rows.clear();
        wantedCount = 0;
        abandoned = false;
    }

    /// Adds a row.
    public void add(int token, Sequence sequence, int position, boolean wantsLogits) {
        int n = rows.count();
        if (n == tokens.length) tokens = Arrays.copyOf(tokens, 2 * n);
        tokens[n] = token;
        rows.add(sequence, position);
        if (wantsLogits) {
            if (wantedCount == wanted.length) wanted = Arrays.copyOf(wanted, 2 * wantedCount);
            wanted[wantedCount++] = n;
        }
    }

    /// Positions and sequences.
    public Rows rows() {
        return rows;
    }

    /// The number of rows.
    public int count() {
        return rows.count();
    }

    /// A row's token.
    public int token(int row) {
        return tokens[row];
    }

    /// The number of rows whose logits are wanted.
    public int wantedCount() {
        return wantedCount;
    }

    /// The row of the i-th wanted logits.
    public int wanted(int i) {
        return wanted[i];
    }

    /// Nobody waits for this step any more: it may end between two layers. From any thread.
    public void abandon() {
        abandoned = true;
    }

    /// Whether the step may end.
    public boolean abandoned() {
        return abandoned;
    }
}
