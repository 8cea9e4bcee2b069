package io.github.kvern.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A GGUF model: one file or all its splits, mapped read-only. Thread-safe.
///
/// Opening reads the headers only; tensor data is paged in by the operating system when it is touched. No file stays open
/// after that: the mapping alone keeps the data alive, and [#close()] ends it.
public final class GgufFile implements AutoCloseable {
    private final Arena arena;
    private final Parts parts;
    private final Metadata metadata;
    private final List<Tensor> tensors;
    private final Map<String, Tensor> byName;

    private GgufFile(Arena arena, Parts parts, UnaryOperator<Metadata> correction) {
        this.arena = arena;
        this.parts = parts;
        this.metadata = correction.apply(parts.list().getFirst().header().metadata());
        List<Tensor> all = new ArrayList<>();
        Map<String, Tensor> names = new LinkedHashMap<>();
        for (Parts.Part part : parts.list()) {
            for (TensorInfo info : part.header().tensors()) {
                MemorySegment data = part.data().asSlice(part.header().dataOffset() + info.offset(), info.bytes());
                Tensor tensor = new Tensor(info, data);
                all.add(tensor);
                names.put(info.name(), tensor);
            }
        }
        this.tensors = List.copyOf(all);
        this.byName = names;
    }

    /// Opens a file, or all parts of a split model when any one of them is given. Reads the headers only.
    ///
    /// @throws IOException if a file is missing, cannot be read or is no regular file
    /// @throws ModelFormatException if a file is malformed, or the parts do not belong together
    /// @throws UnsupportedModelException if a file is sound, but of a kind that is not supported
    public static GgufFile open(Path path) throws IOException {
        return open(path, UnaryOperator.identity());
    }

    /// Opens a file, or all parts of a split model, as [#open(Path)] does, with metadata that is known better than the file knows it.
    ///
    /// @param correction makes [#metadata()] of what the file says; what it throws is thrown here. The keys that describe the files'
    ///                   layout (`general.alignment`, `split.*`) are taken from the files in any case.
    /// @throws IOException if a file is missing, cannot be read or is no regular file
    /// @throws ModelFormatException if a file is malformed, or the parts do not belong together
    /// @throws UnsupportedModelException if a file is sound, but of a kind that is not supported
    public static GgufFile open(Path path, UnaryOperator<Metadata> correction) throws IOException {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            GgufFile file = new GgufFile(arena, Parts.open(path, arena), correction);
            opened = true;
            return file;
        } finally {
            if (!opened) arena.close();
        }
    }

    /// The part files in order; the first is the one that holds the metadata.
    public List<Path> paths() {
        return parts.list().stream().map(Parts.Part::path).toList();
    }

    /// GGUF version of the first part, 2 or 3.
    public int version() {
        return first().version();
    }

    /// Bytes of all parts.
    public long bytes() {
        return parts.list().stream().mapToLong(part -> part.header().bytes()).sum();
    }

    /// Bytes of one part.
    ///
    /// @param part its number, from 0
    /// @throws IndexOutOfBoundsException if there is no such part
    public long bytes(int part) {
        return parts.list().get(part).header().bytes();
    }

    /// The first byte of the data section of a part: what the offsets of its tensors count from.
    ///
    /// @param part its number, from 0
    /// @throws IndexOutOfBoundsException if there is no such part
    public long dataOffset(int part) {
        return parts.list().get(part).header().dataOffset();
    }

    /// What the offsets of the tensors in a part are a multiple of, in bytes: a power of two, 32 unless the file says otherwise.
    ///
    /// @param part its number, from 0
    /// @throws IndexOutOfBoundsException if there is no such part
    public int alignment(int part) {
        return parts.list().get(part).header().alignment();
    }

    /// The metadata: that of the first part, or what a correction made of it.
    public Metadata metadata() {
        return metadata;
    }

    /// All tensors, in the order of the parts and their tables.
    public List<Tensor> tensors() {
        return tensors;
    }

    /// The tensor with this name, if there is one.
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /// The tensor with this name.
    ///
    /// @throws ModelFormatException if there is none
    public Tensor require(String name) {
        return find(name).orElseThrow(() -> new ModelFormatException(
                first().file() + ": expected a tensor " + Text.quote(name) + ", found none of that name among " + tensors.size()));
    }

    /// What the file says about tensors that Kvern has packed; empty for files of all other kinds.
    ///
    /// @throws ModelFormatException it contradicts itself
    /// @throws UnsupportedModelException it was packed in another version of the scheme
    public Optional<PackedTensors> packed() {
        return PackedTensors.read(this, first().metadata());
    }

    /// A name for the content of the model: 64 hexadecimal digits of SHA-256 over the metadata, every tensor's name, type and
    /// shape, and the first, middle and last 64 bytes of its data. It reads a few pages a tensor, and so takes milliseconds
    /// whatever the size of the model, up to some hundred when none of it is in memory.
    ///
    /// The same for a model in one file and in parts, and for any order of keys and tensors: what only describes the files
    /// (`split.*`, `general.alignment`) is left out. It tells models apart; it is no seal: data changed only between the
    /// sampled bytes goes unnoticed. Corrected metadata make another model.
    ///
    /// @throws ModelFormatException if the file was cut short since it was opened
    /// @throws IllegalStateException if this is closed
    public String identity() {
        if (!arena.scope().isAlive()) throw new IllegalStateException("the file is closed: " + first().file());
        try (Samples samples = new Samples(parts.list())) {
            return Identity.of(metadata(), tensors, samples);
        } catch (InternalError e) { // what the virtual machine makes of a page that is no longer there
            throw new ModelFormatException(first().file() + ": the file was cut short or its disk failed while it was in use", e);
        }
    }

    /// Checks that nobody has written to the files since they were opened: a look at their entries, some microseconds for each.
    ///
    /// A file that was deleted, or whose name another file has taken, is none that was written to: the mapping keeps the old one.
    /// A file that is cut short while its pages are being read makes the reader fail with an [InternalError]; compiled loops that read
    /// nothing but vectors of a segment end the process instead (JDK 25). This check finds it before they do, if there is a moment
    /// between.
    ///
    /// @throws ModelFormatException if a file has another length or time of change
    public void requireUnchanged() {
        for (Parts.Part part : parts.list()) {
            Samples.Stamp now;
            try {
                now = Samples.Stamp.of(part.path());
            } catch (IOException e) { // deleted or out of reach: the mapping holds on to it
                continue;
            }
            if (now.equals(part.stamp()) || !now.key().equals(part.stamp().key())) continue;
            throw new ModelFormatException(
                    part.path() + ": the file changed while it was in use: " + part.stamp().unlike(now)
                            + "; load it again, and replace a model's files by renaming others, never by writing to them");
        }
    }

    private Header first() {
        return parts.list().get(0).header();
    }

    /// Reads tensors past the mapping. To be closed, before this is.
    ///
    /// @throws IllegalStateException if this is closed
    public TensorReader reader() {
        if (!arena.scope().isAlive()) throw new IllegalStateException("the file is closed: " + first().file());
        return new TensorReader(new Samples(parts.list()));
    }

    /// Unmaps. Segments handed out before fail afterwards with an [IllegalStateException]; metadata and the tensor table stay.
    /// Closing again does nothing.
    ///
    /// @throws IllegalStateException if a segment is in use by a native call at this moment
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) arena.close();
    }

    /// The first part's path and the number of tensors.
    @Override
    public String toString() {
        return first().file() + ": " + tensors.size() + " tensors";
    }
}
