package io.github.kvern.moe;

/// Who is told which experts a layer is about to read, and may bring their weights into memory meanwhile.
@FunctionalInterface
public interface ExpertPages {
    /// A layer chose. Called by the driver before anything is computed with them; should take no time, and allocate nothing. The layer
    /// computes those that are in memory first, to the end, then the others, each kind in the order in which they are given here. The
    /// answer changes no result, only how long the layer waits.
    ///
    /// @param experts their numbers, each once, the one that most tokens use first; only to be read
    /// @param count how many of them count, 1 or more
    /// @param there to be filled in, `count` values: whether `experts[i]` is in memory
    void wanted(int[] experts, int count, boolean[] there);
}
