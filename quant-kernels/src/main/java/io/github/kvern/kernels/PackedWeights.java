package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// The memory of a packed matrix: panels of 32 rows, experts one after the other, the last panel of each filled up with zeros. It
/// comes in chunks of whole panels, off the heap: each is touched first by the worker that packs it, who is likely to be the one
/// that will read it.
final class PackedWeights {
    /// A chunk is about this large, at least a panel.
    private static final long CHUNK_BYTES = 2 << 20;

    private final PackedType type;
    private final MemorySegment[] chunks;
    private final int panels;
    private final int chunkPanels;
    private final long panelBytes;

    private PackedWeights(PackedType type, Matrix m) {
        this.type = type;
        panels = (m.rows() + PackedType.ROWS - 1) / PackedType.ROWS;
        panelBytes = (long) type.blockBytes() * (m.columns() / type.blockLength());
        int all = Math.multiplyExact(panels, m.experts());
        chunkPanels = Math.clamp(CHUNK_BYTES / panelBytes, 1, all);
        chunks = new MemorySegment[(all + chunkPanels - 1) / chunkPanels];
    }

    /// Bytes that packing takes.
    static long bytes(PackedType type, Matrix m) {
        return (m.rows() + PackedType.ROWS - 1L) / PackedType.ROWS * m.experts() * type.blockBytes() * (m.columns() / type.blockLength());
    }

    /// Packs a matrix; empty when a scale in it is no finite number.
    static Optional<PackedWeights> of(PackedType type, Matrix m, Arena arena, Workers workers) {
        PackedWeights w = new PackedWeights(type, m);
        AtomicBoolean finite = new AtomicBoolean(true);
        Region region = new Region(workers);
        region.add((from, to, scratch) -> {
            for (int c = from; c < to && finite.get(); c++)
                if (!w.fill(c, m, arena, scratch.ints(PackedType.SCRATCH))) finite.set(false);
        }, w.chunks.length, Math.max(1, w.panelBytes * w.chunkPanels));
        region.run();
        return finite.get() ? Optional.of(w) : Optional.empty();
    }

    private boolean fill(int chunk, Matrix m, Arena arena, int[] scratch) {
        int first = chunk * chunkPanels, count = Math.min(chunkPanels, panels * m.experts() - first);
        MemorySegment target = arena.allocate(panelBytes * count, 64);
        chunks[chunk] = target;
        boolean finite = true;
        for (int p = 0; p < count && finite; p++) {
            int expert = (first + p) / panels, row = (first + p) % panels * PackedType.ROWS;
            int rows = Math.min(PackedType.ROWS, m.rows() - row);
            long at = ((long) expert * m.rows() + row) * m.rowBytes();
            for (int b = 0; b < m.columns() / type.blockLength(); b++) {
                finite &= type.pack(m.segment(), at + m.type().rowBytes(b * type.blockLength()), m.rowBytes(), rows, target,
                        p * panelBytes + (long) b * type.blockBytes(), scratch);
            }
        }
        return finite;
    }

    /// The chunk that holds a panel of an expert.
    MemorySegment segment(int expert, int panel) {
        return chunks[(expert * panels + panel) / chunkPanels];
    }

    /// Where in its chunk a panel begins.
    long offset(int expert, int panel) {
        return (expert * panels + panel) % chunkPanels * panelBytes;
    }

    long bytes() {
        long sum = 0;
        for (MemorySegment s : chunks) sum += s.byteSize();
        return sum;
    }
}
