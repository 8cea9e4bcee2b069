package io.github.kvern.gguf;

import java.lang.foreign.MemorySegment;

/// Reads tensors' bytes past the mapping, into memory of the caller's: what is read through a mapping counts as memory of this
/// process, until the mapping ends. From the mapping nevertheless, where the file can no longer be read under its name. Thread-safe.
public final class TensorReader implements AutoCloseable {
    private final Samples samples;

    TensorReader(Samples samples) {
        this.samples = samples;
    }

    /// Reads some bytes of a tensor.
    ///
    /// @param from the first, counted from the tensor's first
    /// @param into filled to its end
    /// @throws IndexOutOfBoundsException the tensor has fewer bytes
    public void read(Tensor tensor, long from, MemorySegment into) {
        if (from < 0 || into.byteSize() > tensor.info().bytes() - from)
            throw new IndexOutOfBoundsException(
                    "tensor " + Text.quote(tensor.name()) + ": " + into.byteSize() + " bytes from " + from + " of "
                            + tensor.info().bytes());
        samples.read(tensor.info(), from, into);
    }

    @Override
    public void close() {
        samples.close();
    }
}
