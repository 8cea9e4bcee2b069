package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The memory of a packed matrix: panels of 32 rows, experts one after the other, the last panel of each filled up with zeros. It
/// comes in chunks of whole panels, off the heap: each is touched first by the worker that packs it, who is likely to be the one
/// that will read it.
final class PackedWeights {
    /// A chunk is about this large, at least a panel.
    private static final long CHUNK_BYTES = 2 << 20;

    private final PackedType type;
    private final int rows;
    private final int columns;
    private final int experts;
    private final MemorySegment[] chunks;
    private final int panels;
    private final int chunkPanels;
    private final long panelBytes;
    private @Nullable MemorySegment stored; // all chunks in one piece, if they lie in a file

    private PackedWeights(PackedType type, int rows, int columns, int experts) {
        this.type = type;
        this.rows = rows;
        this.columns = columns;
        this.experts = experts;
        panels = (rows + PackedType.ROWS - 1) / PackedType.ROWS;
        panelBytes = (long) type.blockBytes() * (columns / type.blockLength());
        int all = Math.multiplyExact(panels, experts);
        chunkPanels = Math.clamp(CHUNK_BYTES / panelBytes, 1, all);
        chunks = new MemorySegment[(all + chunkPanels - 1) / chunkPanels];
    }

    /// Bytes that packing takes.
    static long bytes(PackedType type, int rows, int columns, int experts) {
        return (rows + PackedType.ROWS - 1L) / PackedType.ROWS * experts * type.blockBytes() * (columns / type.blockLength());
    }

    /// Weights that were packed before and lie in one piece.
    static PackedWeights in(MemorySegment all, PackedType type, int rows, int columns, int experts) {
        PackedWeights w = new PackedWeights(type, rows, columns, experts);
        w.stored = all;
        long chunk = w.panelBytes * w.chunkPanels;
        for (int c = 0; c < w.chunks.length; c++) w.chunks[c] = all.asSlice(c * chunk, Math.min(chunk, all.byteSize() - c * chunk));
        return w;
    }

    /// The first bytes of weights that lie in a file; empty where they do not, or are fewer.
    Optional<MemorySegment> stored(long bytes) {
        MemorySegment all = stored;
        return all == null || all.byteSize() < bytes ? Optional.empty() : Optional.of(all.asSlice(0, bytes));
    }

    /// Packs a matrix; empty when a scale in it is no finite number.
    static Optional<PackedWeights> of(PackedType type, Matrix m, ByteSource source, SegmentAllocator memory, Workers workers) {
        PackedWeights w = new PackedWeights(type, m.rows(), m.columns(), m.experts());
        AtomicBoolean finite = new AtomicBoolean(true);
        Region region = new Region(workers);
        region.add((from, to, scratch) -> {
            for (int c = from; c < to && finite.get(); c++)
                if (!w.fill(c, m.type(), source, memory, scratch.ints(PackedType.SCRATCH))) finite.set(false);
        }, w.chunks.length, Math.max(1, w.panelBytes * w.chunkPanels));
        region.run();
        return finite.get() ? Optional.of(w) : Optional.empty();
    }

    private boolean fill(int chunk, TensorType file, ByteSource source, SegmentAllocator memory, int[] scratch) {
        int first = chunk * chunkPanels, count = Math.min(chunkPanels, panels * experts - first);
        chunks[chunk] = memory.allocate(panelBytes * count, 64);
        for (int p = 0; p < count; p++)
            if (!fillPanel(first + p, file, source, chunks[chunk], p * panelBytes, scratch)) return false;
        return true;
    }

    /// Packs a panel from a copy of its rows, which is gone afterwards. The copy is no larger than a chunk: C libraries that learn
    /// from what is freed which sizes to keep for later go on mapping chunks one by one, and give each back when it is freed.
    private boolean fillPanel(int panel, TensorType file, ByteSource source, MemorySegment target, long to, int[] scratch) {
        long rowBytes = file.rowBytes(columns), begin = firstRow(panel);
        int present = (int) (firstRow(panel + 1) - begin);
        boolean finite = true;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(present * rowBytes, 8);
            source.read(begin * rowBytes, copy);
            for (int b = 0; b < columns / type.blockLength(); b++)
                finite &= type.pack(copy, file.rowBytes(b * type.blockLength()), rowBytes, present, target,
                        to + (long) b * type.blockBytes(), scratch);
        }
        return finite;
    }

    /// Packs a matrix piece by piece, in ascending order, into one buffer.
    ///
    /// @param sink takes each piece
    /// @return false when a scale is no finite number; not everything went to the sink then
    static boolean stream(PackedType type, Matrix m, ByteSource source, Workers workers, long bufferBytes, Consumer<MemorySegment> sink) {
        PackedWeights w = new PackedWeights(type, m.rows(), m.columns(), m.experts());
        AtomicBoolean finite = new AtomicBoolean(true);
        int all = w.panels * m.experts(), most = Math.clamp(bufferBytes / w.panelBytes, 1, all);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(most * w.panelBytes, 64);
            for (int first = 0; first < all && finite.get(); first += most) {
                int begin = first, count = Math.min(most, all - first);
                Region region = new Region(workers);
                region.add((from, to, scratch) -> {
                    for (int p = from; p < to && finite.get(); p++)
                        if (!w.fillPanel(begin + p, m.type(), source, buffer, p * w.panelBytes, scratch.ints(PackedType.SCRATCH)))
                            finite.set(false);
                }, count, Math.max(1, w.panelBytes));
                region.run();
                if (finite.get()) sink.accept(buffer.asSlice(0, count * w.panelBytes));
            }
        }
        return finite.get();
    }

    /// The first row of a panel, counted over all experts.
    private long firstRow(int panel) {
        return (long) (panel / panels) * rows + panel % panels * PackedType.ROWS;
    }

    /// The chunk that holds a panel of an expert.
    MemorySegment segment(int expert, int panel) {
        return chunks[(expert * panels + panel) / chunkPanels];
    }

    /// Where in its chunk a panel begins.
    long offset(int expert, int panel) {
        return (expert * panels + panel) % chunkPanels * panelBytes;
    }

    /// Of one expert; empty when they do not lie in a file.
    Optional<MemorySegment> memory(int expert) {
        long bytes = panelBytes * panels;
        return Optional.ofNullable(stored).map(s -> s.asSlice(expert * bytes, bytes));
    }

    List<MemorySegment> memory() {
        return List.of(chunks);
    }

    long bytes() {
        long sum = 0;
        for (MemorySegment s : chunks) sum += s.byteSize();
        return sum;
    }
}
