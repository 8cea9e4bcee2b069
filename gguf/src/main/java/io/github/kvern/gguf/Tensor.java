package io.github.kvern.gguf;

import java.lang.foreign.MemorySegment;

/// A tensor and where its bytes are.
///
/// @param info name, type and shape
/// @param segment exactly the tensor's bytes, read-only, mapped from the file; alive until [GgufFile#close()]
public record Tensor(TensorInfo info, MemorySegment segment) {
    /// The tensor's name.
    public String name() {
        return info.name();
    }

    /// How the values are stored.
    public TensorType type() {
        return info.type();
    }
}
