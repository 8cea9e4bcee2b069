package io.github.kvern.moe;

/// Who is told which experts a layer is about to read, and may bring their weights into memory meanwhile.
@FunctionalInterface
public interface ExpertPages {
    /// A layer chose. Called by the driver before anything is computed with them; should take no time, and allocate nothing. May put them
    /// in another order: they are computed in the one that is left.
    ///
    /// @param experts their numbers, the one that is read first in front
    /// @param count how many of them count
    /// @return how many of them, in front, are in memory: they are computed to the end before the others are looked at
    int wanted(int[] experts, int count);
}
