package io.github.kvern.testdata;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where the test data is: the compact set in this repository, and the wide set beside it on machines that have one.
public final class TestData {
    private TestData() {
    }

    /// The root of the repository: the nearest folder above the working directory that holds `testdata/`.
    public static Path repository() {
        for (Path p = Path.of("").toAbsolutePath(); p != null; p = p.getParent()) {
            if (Files.isDirectory(p.resolve("testdata")) && Files.isRegularFile(p.resolve("pom.xml"))) return p;
        }
        throw new IllegalStateException(
                "run the tests inside a checkout: no folder above " + Path.of("").toAbsolutePath() + " holds testdata/");
    }

    /// The compact set of this repository: `testdata/fixtures`, `testdata/models`.
    public static Path folder() {
        return repository().resolve("testdata");
    }

    /// The folder of the wide set, when this machine has one: the system property `kvern.shared`, the environment variable
    /// `KVERN_SHARED`, or `shared/` beside the repository.
    public static Optional<Path> shared() {
        for (Path p : new Path[] {path(System.getProperty("kvern.shared")), path(System.getenv("KVERN_SHARED")),
                repository().resolveSibling("shared")}) {
            if (Files.isDirectory(p.resolve("fixtures"))) return Optional.of(p);
        }
        return Optional.empty();
    }

    private static Path path(@Nullable String text) {
        return Path.of(text == null || text.isEmpty() ? "/nonexistent" : text);
    }
}
