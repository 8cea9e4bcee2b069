package io.github.kvern.cli;

import picocli.CommandLine.Option;

/// `--help`, which every verb has.
final class Help {
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
    private boolean help;
}
