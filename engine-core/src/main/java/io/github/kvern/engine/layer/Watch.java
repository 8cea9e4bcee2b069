package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;

/// Looks whether the files that weights are read from are still as they were when they were opened. Belongs to the
/// driver.
final class Watch {
    private static final long INTERVAL_NANOS = 50_000_000;

    private final GgufFile file;
    private long last = System.nanoTime();

    Watch(GgufFile file) {
        this.file = file;
    }

    /// Looks, if the last time was a while ago: before a step, whose pages may be gone.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException somebody wrote to a file
    void glance() {
        if (System.nanoTime() - last >= INTERVAL_NANOS) look();
    }

    /// Looks: before anything is handed out that was computed from the files.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException somebody wrote to a file
    void look() {
        file.requireUnchanged();
        last = System.nanoTime();
    }
}
