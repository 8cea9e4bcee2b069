package io.github.kvern;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.engine.layer.Copies;
import io.github.kvern.engine.layer.Packing;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.GgufWriter;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorReader;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.PackedForm;
import io.github.kvern.kernels.Workers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Writes a model with its weights packed: a GGUF file for Kvern alone, which is mapped from then on. So packed weights are shared by
/// processes, cost no time when the model is loaded, and may be larger than memory. The same tensors are packed as with
/// [WeightStorage#PACKED], with the same bits in every result; the rest is copied.
///
/// The file carries its source's identity. [Model#load] refuses it when the source lies beside it under its name and is another
/// model now, and when this version of Kvern packs in another layout. It cannot be computed with [Precision#EXACT].
public final class Repack {
    private static final long PIECE_BYTES = 8 << 20;

    private final GgufFile file;
    private final Kernels kernels;
    private final TensorReader reader;
    private final Workers workers;
    private final Listener listener;
    private long all;
    private long written;

    /// Told how far it is. What it throws ends the writing and leaves no file behind.
    @FunctionalInterface
    public interface Listener {
        /// Called every few megabytes, on the calling thread.
        ///
        /// @param fraction 0 to 1
        void written(double fraction);

        /// Called before the file is begun under a temporary name: for whoever wants to delete it should the process be ended.
        default void temporary(Path path) {
        }
    }

    private Repack(GgufFile file, Kernels kernels, TensorReader reader, Workers workers, Listener listener) {
        this.file = file;
        this.kernels = kernels;
        this.reader = reader;
        this.workers = workers;
        this.listener = listener;
    }

    /// Packs a model. The target appears, or is replaced, when it is complete.
    ///
    /// @param source the file, or any part of a split model
    /// @param target one file
    /// @param threads that pack, 1 to 1024
    /// @throws IllegalArgumentException source and target are the same file
    /// @throws IOException the disk
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws UnsupportedModelException there is nothing to pack in it, it is packed already, its architecture is not supported, or
    ///   this JVM has no vectors
    public static void write(Path source, Path target, int threads, Listener listener) throws IOException {
        Kernels kernels = StartUp.kernels();
        try (GgufFile file = GgufFile.open(source)) {
            if (file.packed().isPresent())
                throw new UnsupportedModelException(source + ": it is packed already, from " + file.packed().get().file());
            if (kernels.name().equals("scalar"))
                throw new UnsupportedModelException(source + ": packing needs vectors, and there are none: " + kernels.reason());
            for (Path part : file.paths())
                if (Files.exists(target) && Files.isSameFile(part, target))
                    throw new IllegalArgumentException(target + " is the model itself: expected another file to write to");
            try (TensorReader reader = file.reader(); Workers workers = new Workers(threads)) {
                new Repack(file, kernels, reader, workers, listener).write(target);
            }
        }
    }

    private void write(Path target) throws IOException {
        Packing.Plan plan = new Packing.Plan(file.bytes(), share -> {
        });
        try (Arena copies = Arena.ofConfined()) { // which nothing computes with
            Weights weights = new Weights(file, kernels, io.github.kvern.kernels.Precision.FAST, plan, new Copies(copies));
            Architectures.load(file, weights, TensorType.F16);
        }
        Map<String, Matrix> packable = plan.whole(kernels);
        String identity = file.identity();
        Set<String> left = new HashSet<>(); // not packed after all
        while (true) {
            packable.keySet().removeAll(left);
            if (packable.isEmpty())
                throw new UnsupportedModelException(
                        file.paths().getFirst() + ": there is nothing to pack: no weight is of a type with a packed form");
            try {
                attempt(target, packable, identity);
                return;
            } catch (NotFinite e) {
                left.add(e.tensor);
            }
        }
    }

    private void attempt(Path target, Map<String, Matrix> packable, String identity) throws IOException {
        List<PackedTensors.Entry> entries = new ArrayList<>();
        for (Tensor t : file.tensors()) {
            Matrix m = packable.get(t.name());
            if (m != null)
                entries.add(new PackedTensors.Entry(t.name(), t.type(), m.columns(), m.rows(), m.experts(), form(m).format(), t));
        }
        String name = String.valueOf(file.paths().getFirst().getFileName());
        GgufWriter writer = new GgufWriter(PackedTensors.describe(file.metadata(), identity, name, entries))
                .onTemporary(listener::temporary);
        all = 0;
        written = 0;
        for (Tensor t : file.tensors()) {
            Matrix m = packable.get(t.name());
            if (m == null) writer.add(t.name(), t.type(), t.info().shape(), out -> copy(t, out));
            else writer.add(PackedTensors.PREFIX + t.name(), TensorType.I8, List.of(m.packedBytes()), out -> pack(t, m, out));
            all += m == null ? t.info().bytes() : m.packedBytes();
        }
        requireRoom(target, all);
        writer.write(target);
    }

    private PackedForm form(Matrix m) {
        return PackedForm.of(kernels, m.type()).orElseThrow();
    }

    private static void requireRoom(Path target, long bytes) throws IOException {
        Path folder = target.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) throw new FileSystemException(target.toString(), null, "no such folder");
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < bytes)
            throw new FileSystemException(target.toString(), null,
                    "packed weights need " + bytes + " bytes, free on this disk are " + free);
    }

    private void copy(Tensor t, WritableByteChannel out) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.min(PIECE_BYTES, t.info().bytes()));
            for (long at = 0; at < t.info().bytes(); at += buffer.byteSize()) {
                MemorySegment piece = buffer.asSlice(0, Math.min(buffer.byteSize(), t.info().bytes() - at));
                reader.read(t, at, piece);
                write(piece, out);
            }
        }
    }

    private void pack(Tensor t, Matrix m, WritableByteChannel out) throws IOException {
        try {
            boolean packed = form(m).pack(m, (at, into) -> reader.read(t, at, into), workers, PIECE_BYTES, piece -> {
                try {
                    write(piece, out);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            if (!packed) throw new NotFinite(t.name());
        } catch (UncheckedIOException e) {
            throw new IOException(e.getCause());
        }
    }

    private void write(MemorySegment piece, WritableByteChannel out) throws IOException {
        ByteBuffer bytes = piece.asByteBuffer();
        while (bytes.hasRemaining()) out.write(bytes);
        written += piece.byteSize();
        listener.written(Math.min(1, (double) written / all));
    }

    /// A scale that is no finite number: the tensor is left as it is, as it is when it is packed in memory.
    private static final class NotFinite extends IOException {
        private static final long serialVersionUID = 1L;

        private final String tensor;

        NotFinite(String tensor) {
            super(tensor);
            this.tensor = tensor;
        }
    }
}
