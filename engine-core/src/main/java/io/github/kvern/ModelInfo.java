package io.github.kvern;

import io.github.kvern.gguf.Metadata;
import java.nio.file.Path;
import java.util.List;

/// What a model is.
///
/// @param paths its files, in the order of the parts
/// @param name `general.name`, or the file's name
/// @param architecture `general.architecture`: `llama`, `llama4`
/// @param bytes of all its files together
/// @param parameters weights in all
/// @param layers transformer blocks
/// @param width values in a hidden vector
/// @param vocabulary number of tokens
/// @param context the longest text that it was made for, in tokens
/// @param identity a hash of what the files, or overrides, say; costs milliseconds
/// @param kernels the kernels in use: `vector512`, `vector256`, `vector128`, `scalar`
/// @param threads threads that compute
/// @param weights how weights are held in memory, and why
/// @param loadNanos how long loading took, in nanoseconds
/// @param metadata all keys of the file, with what [ModelOptions#overrides()] puts in their place
public record ModelInfo(List<Path> paths, String name, String architecture, long bytes, long parameters, int layers, int width,
        int vocabulary, int context, String identity, String kernels, int threads, WeightsInfo weights, long loadNanos, Metadata metadata) {
    /// Copies the list.
    public ModelInfo {
        paths = List.copyOf(paths);
    }
}
