package io.github.kvern.cli;

import picocli.CommandLine.Option;

/// `--help`, which every verb has; [Main] adds it.
final class Help {
    @SuppressWarnings("unused") // picocli reads it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
    private boolean help;
}
