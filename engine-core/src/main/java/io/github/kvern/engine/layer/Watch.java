package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;

/// Looks now and then whether the files that weights are read from are still as they were when they were opened. Belongs to the
/// driver.
final class Watch {
    private static final long INTERVAL_NANOS = 50_000_000;

    private final GgufFile file;
    private long last = System.nanoTime();

    Watch(GgufFile file) {
        this.file = file;
    }

    /// Looks, if the last time was a while ago.
    ///
    /// @throws io.github.kvern.gguf.ModelFormatException somebody wrote to a file
    void look() {
        long now = System.nanoTime();
        if (now - last < INTERVAL_NANOS) return;
        file.requireUnchanged();
        last = now;
    }
}
