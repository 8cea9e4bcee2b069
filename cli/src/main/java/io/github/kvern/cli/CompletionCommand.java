package io.github.kvern.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `completion`: a script that completes verbs and options at the Tab key.
@Command(name = "completion", description = "Print a script that completes verbs and options at the Tab key.",
        footer = {"", "bash:  source <(kvern completion bash)", "zsh:   source <(kvern completion zsh)"})
final class CompletionCommand implements Callable<Integer> {
    /// One script serves both: it loads bash's completion functions where it finds zsh.
    enum Shell {
        bash, zsh
    }

    private final Session session;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", defaultValue = "bash", paramLabel = "SHELL",
            description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("unused") // for the help text; the script is the same
    private Shell shell = Shell.bash;

    CompletionCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        session.terminal().print(AutoComplete.bash("kvern", spec.root().commandLine()));
        return Failures.DONE;
    }
}
