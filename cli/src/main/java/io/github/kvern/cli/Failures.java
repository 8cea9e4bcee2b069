package io.github.kvern.cli;

import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.UnsupportedModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/// The one place that knows which failure is which exit code.
final class Failures {
    /// All went well, also when a limit ended the text.
    static final int DONE = 0;
    /// Memory, disk, or a mistake of ours.
    static final int RUN = 1;
    /// Options, values, the prompt.
    static final int USAGE = 2;
    /// The model file: missing, a directory, malformed, unsupported.
    static final int MODEL = 3;
    /// Ctrl-C.
    static final int INTERRUPTED = 130;

    private Failures() {
    }

    /// A wrong option, value or prompt.
    static Failure usage(String line) {
        return new Failure(USAGE, line);
    }

    /// A file that the options name, such as the prompt's, cannot be read.
    static Failure input(IOException e) {
        return new Failure(USAGE, "cannot read " + reason(e), e);
    }

    /// The disk says no to the model file.
    static Failure model(IOException e) {
        return new Failure(MODEL, "cannot read the model: " + reason(e), e);
    }

    /// The model file does not do.
    static Failure model(String line) {
        return new Failure(MODEL, line);
    }

    /// A file that was asked for cannot be written.
    static Failure file(IOException e) {
        return new Failure(RUN, "cannot write " + reason(e), e);
    }

    /// Standard output cannot be written. A reader that has seen enough (`| head`) is no failure. The system's words for that may be
    /// in any language, so a pipe that fails is taken to have lost its reader.
    ///
    /// @param toPipe whether standard output is a pipe or socket
    static Failure output(IOException e, boolean toPipe) {
        return toPipe || text(e).contains("Broken pipe") ? new Failure(DONE, "", e)
                : new Failure(RUN, "cannot write standard output: " + reason(e), e);
    }

    /// What any throwable means.
    static Failure of(Throwable t) {
        return switch (t) {
            case Failure f -> f;
            case MemoryBudgetException e -> new Failure(RUN, text(e), e);
            case ModelFormatException e -> new Failure(MODEL, text(e), e);
            case UnsupportedModelException e -> new Failure(MODEL, text(e), e);
            case IllegalArgumentException e -> new Failure(USAGE, text(e), e);
            case UncheckedIOException e when e.getCause() != null -> new Failure(RUN, reason(e.getCause()), e);
            case IOException e -> new Failure(RUN, reason(e), e);
            case OutOfMemoryError e -> new Failure(RUN, "out of memory (" + text(e) + "): try a shorter context (-c), or give the JVM more "
                    + "memory: KVERN_JAVA_OPTS=-Xmx8g", e);
            case StackOverflowError e -> new Failure(RUN, "out of stack", e);
            case InternalError e -> new Failure(RUN, "a mapped file was cut short, or its disk failed: " + text(e), e);
            case KvernException e -> new Failure(RUN, text(e), e);
            case IllegalStateException e -> new Failure(RUN, text(e), e);
            default -> new Failure(RUN, "a mistake in Kvern: " + t + " (KVERN_DEBUG=1 shows where)", t);
        };
    }

    /// Prints a failure as one line.
    static int report(Terminal terminal, Failure failure) {
        if (!failure.line().isEmpty()) terminal.note(failure.line());
        if (System.getenv("KVERN_DEBUG") != null) failure.printStackTrace(terminal.err());
        return failure.exitCode();
    }

    private static String text(Throwable t) {
        String message = t.getMessage();
        return message == null || message.isBlank() ? t.toString() : message;
    }

    /// What the disk says, with words for the exceptions that bring none.
    private static String reason(IOException e) {
        Optional<String> said = Optional.ofNullable(e instanceof FileSystemException f ? f.getReason() : e.getMessage());
        if (e instanceof FileSystemException f && f.getFile() != null) {
            String why = said.orElse(switch (e) {
                case NoSuchFileException n -> "no such file or folder";
                case AccessDeniedException a -> "permission denied";
                default -> e.getClass().getSimpleName();
            });
            return f.getFile() + ": " + why;
        }
        return said.orElse(e.toString());
    }
}
