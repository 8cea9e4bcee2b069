package io.github.kvern.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A GGUF model: one file or all its splits, mapped read-only. Thread-safe.
public final class GgufFile implements AutoCloseable {
    private GgufFile() {
    }

    /// Opens a file, or all parts of a split model when any one of them is given. Reads the headers only.
    public static GgufFile open(Path path) throws IOException { throw new UnsupportedOperationException(path.toString()); }
    /// The part files in order; the first is the one that holds the metadata.
    public List<Path> paths() { throw new UnsupportedOperationException(); }
    /// GGUF version, 2 or 3.
    public int version() { throw new UnsupportedOperationException(); }
    /// Bytes of all parts.
    public long bytes() { throw new UnsupportedOperationException(); }
    public Metadata metadata() { throw new UnsupportedOperationException(); }
    /// All tensors in file order.
    public List<Tensor> tensors() { throw new UnsupportedOperationException(); }
    public Optional<Tensor> find(String name) { throw new UnsupportedOperationException(name); }
    /// The tensor with this name; a [ModelFormatException] when there is none.
    public Tensor require(String name) { throw new UnsupportedOperationException(name); }

    /// Unmaps. Segments handed out before fail afterwards with an [IllegalStateException].
    @Override
    public void close() {
    }
}
