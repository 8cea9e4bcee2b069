package io.github.kvern;

import java.util.OptionalLong;

/// What one routed expert did since its model was loaded.
///
/// @param layer number of its layer, from 0
/// @param expert its number in the layer, from 0
/// @param tokens tokens that it was chosen for
/// @param uses steps that it was chosen in: a step computes one token or many
/// @param repeats of these, those that follow a step that chose it as well
/// @param layerSteps steps that its layer ran
/// @param bytes of its weights as they lie in memory or in the file
/// @param residentBytes of these, how many are in memory; empty where the operating system cannot be asked, as without native access, and for
///   weights that were packed while the model was loaded
/// @param missedBytes bytes of it, summed over all times it was asked for, that were not in memory at that moment: what had to come from
///   the disk; empty when nobody looked
public record ExpertStats(int layer, int expert, long tokens, long uses, long repeats, long layerSteps, long bytes,
        OptionalLong residentBytes,
        OptionalLong missedBytes) {
}
