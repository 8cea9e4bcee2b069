package io.github.kvern.engine.layer;

/// Work on the rows of a step, each without looking at the others.
@FunctionalInterface
public interface RowWork {
    /// Works on the rows `from` to `to` (exclusive).
    void rows(Pass pass, int from, int to);
}
