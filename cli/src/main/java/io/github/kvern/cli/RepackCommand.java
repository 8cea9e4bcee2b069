package io.github.kvern.cli;

import io.github.kvern.ModelOptions;
import io.github.kvern.Repack;
import io.github.kvern.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `repack`: a model with its weights packed, in a file.
@Command(name = "repack",
        description = {"Write a model with its weights packed, which is then mapped as it is.",
                "Only Kvern reads such a file, and only with --precision fast. Keep the model that it is made from."},
        sortOptions = false)
final class RepackCommand implements Callable<Integer> {
    private final Session session;

    @Parameters(index = "0", paramLabel = "IN", description = "The model: a GGUF file, or any part of a split one.")
    private String in = "";

    @Parameters(index = "1", paramLabel = "OUT", description = "The file to write; it appears when it is complete.")
    private String out = "";

    @Option(names = "--force", description = "Replace OUT if it exists.")
    private boolean force;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that pack. Default: ${DEFAULT-VALUE}.")
    private int threads = ModelOptions.defaults().threads();

    RepackCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        int team = ModelOptions.defaults().threads(threads).threads(); // checked
        Path source = Utf8.path(in), target = Utf8.path(out);
        if (Files.isDirectory(target)) throw Failures.usage(out + ": expected a file to write, found a directory");
        if (Files.exists(target) && !force) throw Failures.usage(out + " exists: --force replaces it");
        requireModel(source);
        AtomicInteger percent = new AtomicInteger();
        Told told = new Told(percent);
        try (Progress _ = Progress.start(session.terminal(), () -> "packing the weights: " + percent + " %")) {
            Repack.write(source, target, team, told);
        } catch (CancellationException e) {
            return Failures.INTERRUPTED;
        } catch (IOException e) {
            throw Failures.file(e);
        } finally {
            told.temporary.ifPresent(session.interrupts()::settled);
        }
        return Failures.DONE;
    }

    /// What reads the model fails before anything is written; afterwards what fails is taken to be the writing.
    private static void requireModel(Path source) {
        try {
            GgufFile.open(source).close();
        } catch (IOException e) {
            throw Failures.model(e);
        }
    }

    private final class Told implements Repack.Listener {
        private final AtomicInteger percent;
        private Optional<Path> temporary = Optional.empty();

        Told(AtomicInteger percent) {
            this.percent = percent;
        }

        @Override
        public void written(double fraction) {
            percent.set((int) (100 * fraction));
            if (session.interrupts().requested()) throw new CancellationException();
        }

        @Override
        public void temporary(Path path) {
            temporary = Optional.of(path);
            session.interrupts().halfWritten(path);
        }
    }
}
