package io.github.kvern.cli;

import io.github.kvern.ExpertTrace;
import io.github.kvern.Model;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/// What is written about a model's experts, and which of them are locked.
final class ExpertOptions {
    @Option(names = "--expert-trace", paramLabel = "FILE",
            description = "Write at the end how often each routed expert was used, how much of it is in memory, and how much had to be "
                    + "read for it, as CSV for 'kvern experts'.")
    private Optional<String> trace = Optional.empty();

    @Option(names = "--pin-experts", paramLabel = "BYTES", converter = ByteSize.class,
            description = "Lock the most used experts of --pin-trace in memory, this many bytes at most (4G, 512M).")
    private Optional<Long> pinned = Optional.empty();

    @Option(names = "--pin-trace", paramLabel = "FILE", description = "A trace of this model, for --pin-experts.")
    private Optional<String> pinTrace = Optional.empty();

    /// Says what is wrong before anything is loaded.
    void check() {
        if (pinned.isPresent() != pinTrace.isPresent())
            throw Failures.usage("--pin-experts and --pin-trace: one says how much, the other which, so give both");
        trace.ifPresent(ExpertOptions::path);
        pinTrace.ifPresent(ExpertOptions::read);
    }

    /// Locks what is to be locked.
    void begin(Session session, Model model) {
        if (pinTrace.isEmpty()) return;
        try (Progress _ = Progress.start(session.terminal(), () -> "locking experts")) {
            long locked = model.pinExperts(read(pinTrace.get()), pinned.orElseThrow());
            session.terminal().note("experts locked: " + Page.bytes(locked));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Writes what is to be written.
    void end(Session session, Model model) {
        if (trace.isEmpty()) return;
        ExpertTrace all = ExpertTrace.of(model);
        if (all.experts().isEmpty()) throw Failures.usage("--expert-trace: " + model.info().name() + " has no experts");
        try (OutputFile out = OutputFile.open(path(trace.get()), session.interrupts())) {
            ByteBuffer bytes = ByteBuffer.wrap(all.text().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) out.channel().write(bytes);
            out.complete();
        } catch (IOException e) {
            throw Failures.file(e);
        }
    }

    /// Reads a trace.
    static ExpertTrace read(String name) {
        try {
            return ExpertTrace.read(path(name));
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }

    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw Failures.usage("not a file name in this locale: " + name);
        }
    }
}
