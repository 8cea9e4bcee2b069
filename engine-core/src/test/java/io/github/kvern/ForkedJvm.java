package io.github.kvern;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.moe.RouterSpec;
import java.io.IOException;
import java.util.List;
import org.slf4j.LoggerFactory;

/// Runs a `main` of this module's tests in a JVM of its own.
final class ForkedJvm {
    private ForkedJvm() {
    }

    /// What it wrote, its exit code in the last line.
    static String run(Class<?> main, List<String> options, String... args) throws IOException, InterruptedException {
        List<Class<?>> needs = List.of(Model.class, GgufFile.class, Kernels.class, RouterSpec.class, KvLayout.class, LoggerFactory.class);
        return io.github.kvern.testdata.ForkedJvm.run(main, needs, options, args);
    }
}
