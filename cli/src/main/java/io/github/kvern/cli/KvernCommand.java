package io.github.kvern.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `kvern` without a verb.
@Command(name = "kvern", description = "Runs GGUF language models.", synopsisSubcommandLabel = "VERB", versionProvider = Version.class,
        footer = {"", "Exit codes: 0 done, 1 run-time failure (memory, disk), 2 wrong usage, 3 the model file, 130 after Ctrl-C."})
final class KvernCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @SuppressWarnings("unused") // picocli reads it
    @Option(names = {"-V", "--version"}, versionHelp = true, description = "Show the engine, the JDK, the kernels and the threads.")
    private boolean version;

    @Override
    public Integer call() {
        throw Failures.usage("expected a verb: " + String.join(", ", spec.subcommands().keySet()) + "; see 'kvern --help'");
    }
}
