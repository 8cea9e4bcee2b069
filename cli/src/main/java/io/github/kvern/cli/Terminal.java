package io.github.kvern.cli;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The three standard streams, as bytes, and whether a person sits at them.
///
/// Text is UTF-8 whatever the locale says: what a model writes goes into files and pipes, and one model must give one answer.
///
/// @param in standard input
/// @param out standard output; a write that fails is a [Failure]
/// @param err standard error; failures to write are ignored, there is nowhere left to say so
record Terminal(InputStream in, OutputStream out, PrintStream err, boolean inIsTerminal, boolean outIsTerminal, boolean errIsTerminal) {
    /// The streams of this process.
    static Terminal system() {
        String target = target(1);
        OutputStream out = new Guarded(new FileOutputStream(FileDescriptor.out),
                target.startsWith("pipe:") || target.startsWith("socket:"));
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        return new Terminal(new FileInputStream(FileDescriptor.in), out, err, isTerminal(0), isTerminal(1), isTerminal(2));
    }

    /// Streams that are no terminal.
    static Terminal of(InputStream in, OutputStream out, OutputStream err) {
        return new Terminal(in, new Guarded(out, false), new PrintStream(err, true, StandardCharsets.UTF_8), false, false, false);
    }

    /// Writes text to standard output at once, in one piece as long as a pipe takes it, so that nobody sees half a character.
    void print(String text) {
        print(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Writes bytes to standard output at once.
    void print(byte[] bytes) {
        try {
            out.write(bytes);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // the guard throws failures only
        }
    }

    /// Writes a line about the run, not its result, to standard error.
    void note(String line) {
        err.println("kvern: " + visible(line));
    }

    /// Text with everything that steers a terminal made visible: names and messages may come from a hostile file.
    static String visible(String text) {
        StringBuilder shown = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> shown.append("\\n");
                case '\r' -> shown.append("\\r");
                case '\t' -> shown.append("\\t");
                default -> {
                    if (steers(c)) shown.append("\\u%04x".formatted(c));
                    else shown.appendCodePoint(c);
                }
            }
        });
        return shown.toString();
    }

    private static boolean steers(int c) {
        int type = Character.getType(c);
        return Character.isISOControl(c) || type == Character.SURROGATE || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR || type == Character.FORMAT && c >= 0x202A && c <= 0x2069;
    }

    /// Text as a string in quotes.
    static String quoted(String text) {
        return '"' + visible(text.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
    }

    /// Whether a descriptor is a terminal. `System.console()` knows only standard input and output taken together, and native calls
    /// are not ours to make; Linux says it in a link. Elsewhere the console decides.
    private static boolean isTerminal(int descriptor) {
        String target = target(descriptor);
        if (!target.isEmpty()) return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        return !Files.isDirectory(Path.of("/proc/self/fd"))
                && Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    }

    /// What a descriptor leads to, as Linux says it; empty when nobody says.
    private static String target(int descriptor) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    /// Turns failed writes into the failures that the command line knows, so that no verb has to.
    private static final class Guarded extends OutputStream {
        private final OutputStream to;
        private final boolean toPipe;

        Guarded(OutputStream to, boolean toPipe) {
            this.to = to;
            this.toPipe = toPipe;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            try {
                to.write(bytes, from, length);
            } catch (IOException e) {
                throw Failures.output(e, toPipe);
            }
        }

        @Override
        public void flush() {
            try {
                to.flush();
            } catch (IOException e) {
                throw Failures.output(e, toPipe);
            }
        }
    }
}
