package io.github.kvern.engine.layer;

import io.github.kvern.gguf.Tensor;
import io.github.kvern.kernels.Matrix;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Places matrices as a model would, without moving anything, and keeps what they take, by tensor.
public final class PlannedWeights implements Placement {
    private final Optional<Packing.Plan> plan;
    private final Map<String, Long> placed = new HashMap<>();
    private final Map<String, Long> packed = new HashMap<>();
    private final Map<String, Long> replaced = new HashMap<>();

    /// @param plan of what is packed, if anything is
    public PlannedWeights(Optional<Packing.Plan> plan) {
        this.plan = plan;
    }

    @Override
    public Matrix place(Tensor tensor, long from, Matrix m) {
        long packedBytes = plan.isPresent() && plan.get().packs(tensor.name()) ? m.packedBytes() : 0;
        placed.merge(tensor.name(), packedBytes > 0 ? packedBytes : m.bytes(), Long::sum);
        if (packedBytes == 0) return m;
        packed.merge(tensor.name(), packedBytes, Long::sum);
        replaced.merge(tensor.name(), m.bytes(), Long::sum);
        return m.asIfPacked();
    }

    /// Bytes that a tensor takes when it is packed; 0 for one that stays mapped.
    public long packedBytes(String tensor) {
        return packed.getOrDefault(tensor, 0L);
    }

    /// Bytes that products read of a tensor's matrices, packed or mapped; 0 for one that is only looked up, or is no matrix.
    public long productBytes(String tensor) {
        return placed.getOrDefault(tensor, 0L);
    }

    /// Bytes of all tensors, as in the file, that packed ones stand in for.
    public long replacedBytes() {
        return replaced.values().stream().mapToLong(n -> n).sum();
    }

    /// Bytes of a tensor, as in the file, that packed ones stand in for.
    public long replacedBytes(String tensor) {
        return replaced.getOrDefault(tensor, 0L);
    }
}
