package io.github.kvern;

import io.github.kvern.engine.run.GenerateJob;
import io.github.kvern.engine.run.Scheduler;
import io.github.kvern.engine.sample.Sampler;
import io.github.kvern.kvcache.Sequence;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One conversation: one sequence in the cache. One answer at a time; many generators of a model run at once and share its steps.
/// Thread-safe.
public final class Generator implements AutoCloseable {
    private final Model model;
    private final Scheduler scheduler;
    private final Sequence sequence;
    private final int context;
    private final ReentrantLock lock = new ReentrantLock();
    private int[] known = new int[0];
    private @Nullable GenerateJob job;
    private @Nullable Generation running;
    private boolean closed;

    Generator(Model model, Scheduler scheduler, Sequence sequence, int context) {
        this.model = model;
        this.scheduler = scheduler;
        this.sequence = sequence;
        this.context = context;
    }

    /// The most tokens of prompt and answer together.
    public int context() {
        return context;
    }

    /// Starts an answer. The prompt is the whole conversation so far; what its beginning shares with the cache is not computed
    /// again.
    ///
    /// @throws IllegalStateException an answer is running, or the generator or its model is closed
    /// @throws IllegalArgumentException the prompt is empty, longer than the context, or has ids outside the vocabulary
    public Generation generate(Prompt prompt, Sampling sampling) {
        int[] ids = ids(prompt);
        if (ids.length == 0) throw new IllegalArgumentException("the prompt is empty and the vocabulary has no begin token: give at least one token");
        if (ids.length > context)
            throw new IllegalArgumentException("the prompt has " + ids.length + " tokens, the context " + context + ": raise the context or shorten the prompt");
        lock.lock();
        try {
            if (closed) throw new IllegalStateException("the generator is closed");
            if (running != null && !running.isDone()) throw new IllegalStateException("an answer is running: read it to its end, or close it first");
            int reused = rewind(ids);
            Tokenizer tokenizer = model.tokenizer();
            long seed = sampling.seedOrRandom();
            Sampler sampler = new Sampler(sampling, model.info().vocabulary(), seed, tokenizer.endOfGeneration());
            GenerateJob next = new GenerateJob(scheduler, sequence, ids, reused, context, tokenizer, sampling, sampler, seed, model.info().loadNanos());
            scheduler.submit(next);
            job = next;
            return running = new Generation(scheduler, next);
        } finally {
            lock.unlock();
        }
    }

    private int[] ids(Prompt prompt) {
        int vocabulary = model.info().vocabulary();
        int[] ids = switch (prompt) {
            case Prompt.Tokens t -> t.ids();
            case Prompt.Text t -> model.tokenizer().prompt(t.text(), t.begin(), t.special());
        };
        for (int id : ids)
            if (id < 0 || id >= vocabulary) throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + vocabulary + " tokens");
        return ids;
    }

    /// Cuts the sequence back to what it shares with the prompt, the last token left out because its logits are needed.
    private int rewind(int[] ids) {
        if (job != null) known = job.ids();
        int most = Math.min(sequence.length(), Math.min(known.length, ids.length - 1));
        int same = Arrays.mismatch(known, 0, most, ids, 0, most);
        sequence.truncate(sequence.nearest(same < 0 ? most : same));
        return sequence.length();
    }

    /// Ends a running answer and gives the cache's pages back.
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) return;
            closed = true;
            if (running != null) running.end(StopReason.CLOSED);
            sequence.close();
        } finally {
            lock.unlock();
        }
        model.forget(this);
    }
}
