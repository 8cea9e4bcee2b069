package io.github.kvern.cli;

import io.github.kvern.ModelOptions;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// Metadata that the user knows better than the file.
final class MetadataChoice {
    @Option(names = "--override", paramLabel = "KEY=VALUE",
            description = "Use this value of a metadata key in place of the file's; with KEY=TYPE:VALUE "
                    + "(int, float, bool, str) also where the file has none. Can be repeated.")
    private List<String> overrides = new ArrayList<>();

    /// These options and what was overridden.
    ModelOptions onto(ModelOptions options) {
        ModelOptions all = options;
        for (String assignment : overrides) all = all.override(assignment);
        return all;
    }
}
