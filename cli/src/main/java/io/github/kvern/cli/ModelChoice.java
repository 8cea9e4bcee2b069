package io.github.kvern.cli;

import io.github.kvern.ModelOptions;
import io.github.kvern.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which model file: `-m`, or `KVERN_MODEL`, or the model that ships.
final class ModelChoice {
    /// Where the model that ships is, in the folder that the launcher names.
    private static final String SHIPPED = "testdata/models/fables-10m-a6m-Q4_K_M.gguf";

    @Option(names = {"-m", "--model"}, paramLabel = "FILE",
            description = "The model: a GGUF file, or any part of a split one. Default: the environment variable KVERN_MODEL, or the "
                    + "model that ships.")
    private Optional<String> model = Optional.empty();

    /// Takes this file, given in another way than `-m`.
    void choose(String file) {
        if (model.isPresent()) throw Failures.usage("two models: " + model.get() + " and " + file + ": name one");
        model = Optional.of(file);
    }

    /// The model's file.
    Path path() {
        String chosen = model.or(() -> named(System.getenv("KVERN_MODEL")))
                .or(() -> named(System.getProperty("kvern.home")).map(home -> Path.of(home, SHIPPED).toString()))
                .orElseThrow(() -> Failures.usage("no model: name one with -m FILE or in the environment variable KVERN_MODEL"));
        try {
            return Path.of(chosen);
        } catch (InvalidPathException e) {
            throw Failures.model("cannot read the model: not a file name in this locale: " + chosen);
        }
    }

    /// Opens the file to look into it, without loading the model.
    GgufFile open() {
        return open(ModelOptions.defaults());
    }

    /// Opens the file to look into it with what these options override, without loading the model.
    GgufFile open(ModelOptions options) {
        try {
            return GgufFile.open(path(), options::corrected);
        } catch (IOException e) {
            throw Failures.model(e);
        }
    }

    private static Optional<String> named(@Nullable String value) {
        return Optional.ofNullable(value).filter(v -> !v.isEmpty());
    }
}
