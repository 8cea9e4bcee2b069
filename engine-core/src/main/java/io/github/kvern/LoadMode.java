package io.github.kvern;

/// What is done about a model's pages while it is loaded: what [ModelOptions#loadMode] asks for.
public enum LoadMode {
    /// Nothing: the operating system reads a page from the disk when it is first needed. Loading takes milliseconds, the first answers
    /// wait for the disk.
    MMAP,
    /// All weights are read into memory before [Model#load] returns. The system may take pages away again when it needs the memory.
    PREFAULT,
    /// As [#PREFAULT], and they stay until the model is closed: packed weights are kept out of swap as well. Needs native access for the
    /// module `io.github.kvern.gguf`, Linux, and a limit of locked memory that allows it (`ulimit -l`).
    LOCK
}
