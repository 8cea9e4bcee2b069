package io.github.kvern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/// Where a text comes from: an argument, `-p`, `-f FILE`, or standard input when none of them is given.
final class PromptSource {
    private static final String STANDARD_INPUT = "standard input";

    @Option(names = {"-p", "--prompt"}, paramLabel = "TEXT", description = "The text, as the argument; for texts that begin with a dash.")
    private Optional<String> prompt = Optional.empty();

    @Option(names = {"-f", "--file"}, paramLabel = "FILE",
            description = "Read the text from a file (UTF-8); - is standard input, as is no text at all.")
    private Optional<String> file = Optional.empty();

    /// The text, exactly as it is given.
    ///
    /// @param arguments what stood on the command line
    String read(Terminal terminal, List<String> arguments) {
        int sources = (arguments.isEmpty() ? 0 : 1) + (prompt.isPresent() ? 1 : 0) + (file.isPresent() ? 1 : 0);
        if (sources > 1) throw Failures.usage("the text is given twice: use an argument, -p or -f");
        if (arguments.size() > 1) throw Failures.usage("expected one text, found " + arguments.size() + " arguments: put it in quotes");
        if (sources == 0 && terminal.inIsTerminal())
            throw Failures.usage("no text: give it as an argument, with -p, with -f FILE, or on standard input");
        if (!arguments.isEmpty()) return Utf8.whole(arguments.getFirst(), "the text");
        if (prompt.isPresent()) return Utf8.whole(prompt.get(), "the text");
        return readStream(terminal);
    }

    /// Whether the text comes from a file or standard input, where an editor or `echo` has put a line end behind it.
    boolean isStream(List<String> arguments) {
        return arguments.isEmpty() && prompt.isEmpty();
    }

    /// The file or standard input as a stream.
    InputStream open(Terminal terminal) {
        if (name().equals(STANDARD_INPUT)) {
            if (terminal.inIsTerminal()) terminal.note("reading standard input (Ctrl-D ends it)");
            return terminal.in();
        }
        return Utf8.open(name());
    }

    /// What messages call the stream.
    String name() {
        return file.filter(name -> !name.equals("-")).orElse(STANDARD_INPUT);
    }

    private String readStream(Terminal terminal) {
        try (InputStream in = open(terminal)) {
            return Utf8.read(in, name());
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }
}
