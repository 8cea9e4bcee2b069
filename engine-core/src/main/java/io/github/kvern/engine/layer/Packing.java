package io.github.kvern.engine.layer;

import io.github.kvern.gguf.LargePages;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorReader;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Layout;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.PackedForm;
import io.github.kvern.kernels.Precision;
import io.github.kvern.kernels.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;

/// Packs matrices, one after the other, each with all workers.
public final class Packing implements Placement {
    private final TensorReader reader;
    private final SegmentAllocator memory;
    private final Workers workers;
    private final Plan plan;
    private final long planned;
    private final DoubleConsumer progress;
    private long done;
    private long bytes;

    /// @param reader of the file, so that none of what is packed is read through its mapping
    /// @param arena owns the packed weights; shared
    /// @param plan made of the same weights
    /// @param progress is told the share that is done, 0 to 1, on the thread that places
    public Packing(TensorReader reader, Arena arena, Workers workers, Plan plan, DoubleConsumer progress) {
        this.reader = reader;
        memory = LargePages.in(arena);
        this.workers = workers;
        this.plan = plan;
        planned = plan.bytes();
        this.progress = progress;
    }

    @Override
    public Matrix place(Tensor tensor, long from, Matrix m) {
        if (!plan.packs(tensor.name())) return m;
        Matrix placed = m.packed((at, into) -> reader.read(tensor, from + at, into), memory, workers);
        if (placed.layout() == Layout.PACKED) bytes += placed.packedBytes();
        done += m.packedBytes();
        progress.accept(Math.min(1, (double) done / planned));
        return placed;
    }

    /// Bytes that were packed.
    public long bytes() {
        return bytes;
    }

    /// Packs nothing, and finds out what there is to pack. A tensor is packed as a whole or not at all: when every piece of it that is
    /// used is whole panels. So a file can hold it packed, and results are the same from there.
    public static final class Plan implements Placement {
        private final long all;
        private final DoubleConsumer progress;
        private final Map<String, List<Piece>> pieces = new LinkedHashMap<>();
        private long seen;

        /// @param all bytes of the files
        /// @param progress is told, after each matrix, the share of these bytes that was looked at
        public Plan(long all, DoubleConsumer progress) {
            this.all = all;
            this.progress = progress;
        }

        /// A matrix, all of a tensor or some of its rows.
        ///
        /// @param from where in the tensor it begins, in bytes
        private record Piece(Tensor tensor, long from, Matrix matrix) {
            boolean isCutBetweenPanels() {
                long panel = PackedForm.ROWS * matrix.rowBytes(), end = from + matrix.bytes();
                return from % panel == 0 && (end == tensor.info().bytes() || matrix.experts() == 1 && end % panel == 0);
            }
        }

        @Override
        public Matrix place(Tensor tensor, long from, Matrix m) {
            if (m.packedBytes() > 0) pieces.computeIfAbsent(tensor.name(), name -> new ArrayList<>()).add(new Piece(tensor, from, m));
            seen += m.bytes();
            progress.accept(Math.min(1, (double) seen / all));
            return m;
        }

        /// Whether a tensor is to be packed.
        boolean packs(String tensor) {
            return pieces.containsKey(tensor) && pieces.get(tensor).stream().allMatch(Piece::isCutBetweenPanels);
        }

        /// Bytes that packing would take.
        public long bytes() {
            return pieces.entrySet().stream().filter(e -> packs(e.getKey())).flatMap(e -> e.getValue().stream())
                    .mapToLong(p -> p.matrix().packedBytes()).sum();
        }

        /// These matrices as they compute when what is to be packed is packed.
        public Collection<Matrix> asIfPacked(Collection<Matrix> mapped) {
            Set<Matrix> packed = Collections.newSetFromMap(new IdentityHashMap<>());
            for (String tensor : pieces.keySet()) if (packs(tensor)) for (Piece p : pieces.get(tensor)) packed.add(p.matrix());
            return mapped.stream().map(m -> packed.contains(m) ? m.asIfPacked() : m).toList();
        }

        /// The tensors that can be packed, each as one matrix.
        public Map<String, Matrix> whole(Kernels kernels) {
            Map<String, Matrix> whole = new LinkedHashMap<>();
            pieces.forEach((name, list) -> {
                if (!packs(name)) return;
                Matrix m = list.getFirst().matrix();
                Tensor t = list.getFirst().tensor();
                int rows = (int) (t.info().bytes() / m.rowBytes() / m.experts()); // a matrix of them was made: it fits
                whole.put(name, kernels.matrix(t.type(), t.segment(), rows, m.columns(), m.experts(), Precision.FAST));
            });
            return whole;
        }
    }
}
