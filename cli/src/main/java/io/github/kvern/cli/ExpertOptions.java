package io.github.kvern.cli;

import io.github.kvern.ExpertTrace;
import io.github.kvern.Model;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
        trace.ifPresent(Utf8::path);
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
        try (OutputFile out = OutputFile.open(Utf8.path(trace.get()), session.interrupts())) {
            out.write(ByteBuffer.wrap(all.text().getBytes(StandardCharsets.UTF_8)));
            out.complete();
        }
    }

    /// Reads a trace.
    static ExpertTrace read(String name) {
        try {
            return ExpertTrace.read(Utf8.path(name));
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }
}
