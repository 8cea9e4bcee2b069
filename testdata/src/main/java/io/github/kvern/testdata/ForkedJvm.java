package io.github.kvern.testdata;

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

/// Runs a `main` of the tests in a JVM of its own, on the class path: for what may end the JVM, or wants one of another size.
public final class ForkedJvm {
    private ForkedJvm() {
    }

    /// Runs it.
    ///
    /// @param main its class, in `target/test-classes` of the module that is being tested
    /// @param needs classes whose modules or jars it needs besides
    /// @param options for the JVM
    /// @return what it wrote, its exit code in the last line
    public static String run(Class<?> main, List<Class<?>> needs, List<String> options, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", path(main, needs)));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS)) throw new IllegalStateException("it hangs: " + out);
            return out + "exit code " + process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    /// Where this build has what the program needs.
    private static String path(Class<?> main, List<Class<?>> needs) {
        Set<String> places = new LinkedHashSet<>();
        places.add(Path.of("target", "test-classes").toAbsolutePath().toString()); // a patched module hides it
        places.add(place(main));
        for (Class<?> type : needs) places.add(place(type));
        return String.join(File.pathSeparator, places);
    }

    private static String place(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(type.getName(), e);
        }
    }
}
