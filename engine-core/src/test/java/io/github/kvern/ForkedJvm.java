package io.github.kvern;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.moe.RouterSpec;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/// Runs a `main` of the tests in a JVM of its own, on the class path.
final class ForkedJvm {
    private ForkedJvm() {
    }

    /// What it wrote, its exit code in the last line.
    static String run(Class<?> main, List<String> options, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", path(main)));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS)) throw new AssertionError("it hangs: " + out);
            return out + "exit code " + process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    /// Where this build has what the program needs.
    private static String path(Class<?> main) {
        Set<String> places = new LinkedHashSet<>();
        places.add(Path.of("target", "test-classes").toAbsolutePath().toString()); // a patched module hides it
        for (Class<?> type : List.of(main, Model.class, GgufFile.class, Kernels.class, RouterSpec.class, KvLayout.class,
                LoggerFactory.class)) {
            try {
                places.add(Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
            } catch (URISyntaxException e) {
                throw new AssertionError(type.getName(), e);
            }
        }
        return String.join(File.pathSeparator, places);
    }
}
