package io.github.kvern.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The entry point of the command line.
public final class Main {
    private Main() {
    }

    /// Runs one verb and ends the process with its exit code: 0 done, 1 run-time failure, 2 wrong usage, 3 the model file, 130 after
    /// Ctrl-C.
    public static void main(String[] args) {
        Session session = new Session(Terminal.system(), new Interrupts().install());
        int exitCode = run(session, args);
        session.interrupts().finish();
        System.exit(exitCode);
    }

    /// Runs one verb in this process.
    static int run(Session session, String... args) {
        Terminal terminal = session.terminal();
        try {
            int exitCode = commandLine(session).execute(Arguments.asTyped(args));
            terminal.out().flush();
            return session.interrupts().requested() ? Failures.INTERRUPTED : exitCode;
        } catch (Throwable t) { // the last line of defence: whatever it is becomes one line
            return Failures.report(terminal, Failures.of(t));
        }
    }

    /// All verbs, ready to parse.
    static CommandLine commandLine(Session session) {
        CommandLine all = new CommandLine(new KvernCommand());
        all.addSubcommand(new GenerateCommand(session));
        all.addSubcommand(new TokenizeCommand(session));
        all.addSubcommand(new LogitsCommand(session));
        all.addSubcommand(new InspectCommand(session));
        all.addSubcommand(new PlanCommand(session));
        all.addSubcommand(new BenchCommand(session));
        all.addSubcommand(new RepackCommand(session));
        all.addSubcommand(new ExpertsCommand(session));
        all.addSubcommand(new CompletionCommand(session));
        all.getCommandSpec().addMixin("help", CommandSpec.forAnnotatedObject(new Help()));
        for (CommandLine verb : all.getSubcommands().values())
            verb.getCommandSpec().addMixin("help", CommandSpec.forAnnotatedObject(new Help()));
        all.addSubcommand(new CommandLine.HelpCommand());
        all.setExpandAtFiles(false); // `--tokens @FILE` is the verb's own, and a prompt may begin with @
        all.setPosixClusteredShortOptionsAllowed(false); // -ub and -ctk are words, and `-tb` a mistake
        all.setCaseInsensitiveEnumValuesAllowed(true);
        all.setUsageHelpWidth(110);
        all.setUsageHelpLongOptionsMaxWidth(34);
        all.setOut(new PrintWriter(session.terminal().out(), true, StandardCharsets.UTF_8));
        all.setErr(new PrintWriter(session.terminal().err(), true, StandardCharsets.UTF_8));
        all.setParameterExceptionHandler((e, args) -> wrongUsage(session.terminal(), e));
        all.setExecutionExceptionHandler((e, command, parsed) -> Failures.report(session.terminal(), Failures.of(e)));
        return all;
    }

    /// One line about what is wrong, and where to look.
    private static int wrongUsage(Terminal terminal, ParameterException e) {
        CommandLine command = e.getCommandLine();
        String near = "";
        if (e instanceof UnmatchedArgumentException unmatched && !unmatched.getSuggestions().isEmpty()) {
            near = " (did you mean " + String.join(" or ", unmatched.getSuggestions()) + "?)";
        }
        String said = String.valueOf(e.getMessage()).strip();
        return Failures.report(terminal, Failures.usage(said + near + "; see '" + command.getCommandSpec().qualifiedName() + " --help'"));
    }
}
