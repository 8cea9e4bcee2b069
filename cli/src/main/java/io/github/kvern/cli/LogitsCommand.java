package io.github.kvern.cli;

import io.github.kvern.LogitsSink;
import io.github.kvern.Model;
import io.github.kvern.ModelOptions;
import io.github.kvern.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `logits`: what a model expects behind each token of a text.
@Command(name = "logits",
        description = {"Compute the logits behind each token of a text.", "No begin token is added. The text may be longer than the "
                + "model's own context. Without --out the likeliest tokens are printed."},
        sortOptions = false)
final class LogitsCommand implements Callable<Integer> {
    private static final int SHOWN = 5;

    private final Session session;

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Option(names = "--tokens", required = true, paramLabel = "IDS",
            description = "Token ids between commas or white space, or @FILE with such a text.")
    private String tokens = "";

    @Option(names = "--positions", paramLabel = "LIST", description = "The positions to keep, ascending from 0, or @FILE. Default: all.")
    private Optional<String> positions = Optional.empty();

    @Option(names = "--out", paramLabel = "FILE", description = "Write them here: float32, little-endian, [positions][vocabulary].")
    private Optional<String> out = Optional.empty();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    LogitsCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        ModelOptions options = compute.options();
        int[] ids = Ids.parseOrRead(tokens, "--tokens");
        if (ids.length == 0) throw Failures.usage("--tokens: expected at least one id, found none");
        int[] kept = positions.map(list -> checked(Ids.parseOrRead(list, "--positions"), ids.length)).orElseGet(() -> all(ids.length));
        Optional<OutputFile> file = out.map(name -> OutputFile.open(Utf8.path(name), session.interrupts()));
        try (Model loaded = ComputeOptions.load(session, model.path(), options)) {
            if (file.isPresent()) loaded.score(ids, kept, new Binary(file.get(), loaded.info().vocabulary()));
            else show(loaded, ids, kept);
            file.ifPresent(OutputFile::complete);
        } finally {
            file.ifPresent(OutputFile::close);
        }
        return Failures.DONE;
    }

    private static int[] all(int count) {
        int[] all = new int[count];
        for (int i = 0; i < count; i++) all[i] = i;
        return all;
    }

    private static int[] checked(int[] positions, int count) {
        if (positions.length == 0) throw Failures.usage("--positions: expected at least one, found none");
        for (int i = 0; i < positions.length; i++) {
            if (positions[i] >= count)
                throw Failures
                        .usage("--positions: expected 0 to " + (count - 1) + ", as there are " + count + " tokens, found " + positions[i]);
            if (i > 0 && positions[i] <= positions[i - 1]) {
                throw Failures.usage("--positions: expected ascending numbers, found " + positions[i] + " behind " + positions[i - 1]);
            }
        }
        return positions;
    }

    /// Writes floats as they are in memory on most machines.
    private static final class Binary implements LogitsSink {
        private final OutputFile file;
        private final ByteBuffer buffer;

        Binary(OutputFile file, int vocabulary) {
            this.file = file;
            this.buffer = ByteBuffer.allocateDirect(4 * vocabulary).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public void accept(int position, float[] logits) {
            buffer.clear();
            buffer.asFloatBuffer().put(logits, 0, buffer.capacity() / 4);
            file.write(buffer);
        }
    }

    private void show(Model loaded, int[] ids, int[] kept) {
        Tokenizer tokenizer = loaded.tokenizer();
        loaded.score(ids, kept, (position, logits) -> {
            StringBuilder line = new StringBuilder(
                    "%d %d %s:".formatted(position, ids[position], Terminal.quoted(tokenizer.piece(ids[position]))));
            for (int id : best(logits))
                line.append("  %d %s ".formatted(id, Terminal.quoted(tokenizer.piece(id)))).append(Page.decimal(logits[id]));
            session.terminal().print(line.append('\n').toString());
        });
    }

    /// The ids of the highest logits, the highest first; of equal ones the lower id.
    private static int[] best(float[] logits) {
        int[] best = new int[Math.min(SHOWN, logits.length)];
        int n = 0;
        for (int id = 0; id < logits.length; id++) {
            int at = n;
            while (at > 0 && logits[id] > logits[best[at - 1]]) at--;
            if (at == best.length) continue;
            n = Math.min(n + 1, best.length);
            System.arraycopy(best, at, best, at + 1, n - 1 - at);
            best[at] = id;
        }
        return best;
    }
}
