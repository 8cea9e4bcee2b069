package io.github.kvern;

import io.github.kvern.engine.run.Conversation;
import io.github.kvern.engine.run.GenerateJob;
import io.github.kvern.engine.run.Scheduler;
import io.github.kvern.engine.sample.Sampler;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One conversation: one sequence in the cache. One answer at a time; many generators of a model run at once and share its steps.
/// Thread-safe. Holds off-heap memory for keys and values of what was said so far, until it is closed.
public final class Generator implements AutoCloseable {
    private final Model model;
    private final Scheduler scheduler;
    private final Conversation conversation;
    private final int context;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable GenerateJob last;
    private boolean closed;

    Generator(Model model, Scheduler scheduler, Conversation conversation, int context) {
        this.model = model;
        this.scheduler = scheduler;
        this.conversation = conversation;
        this.context = context;
    }

    /// The most tokens of prompt and answer together: as asked for, or the default that was chosen.
    public int context() {
        return context;
    }

    /// Starts an answer, and returns at once. The prompt is the whole conversation so far; what its beginning shares with the cache is
    /// not computed again. The answer is to be read to its end, or closed: it holds the generator until then.
    ///
    /// What goes wrong while it is computed comes out where the answer is read.
    ///
    /// @throws IllegalStateException an answer is running, or the generator or its model is closed
    /// @throws IllegalArgumentException the prompt is empty, longer than the context, or has ids outside the vocabulary; or the sampling
    ///   biases such an id
    /// @throws io.github.kvern.gguf.KvernException the model has no tokenizer, or one that Kvern does not know
    public Generation generate(Prompt prompt, Sampling sampling) {
        int[] ids = ids(prompt);
        Tokenizer tokenizer = model.tokenizer();
        long seed = sampling.seedOrRandom();
        Sampler sampler = new Sampler(sampling, model.info().vocabulary(), seed, tokenizer.endOfGeneration());
        GenerateJob job = new GenerateJob(scheduler, conversation, ids, context, tokenizer, sampling, sampler, seed,
                model.info().loadNanos());
        lock.lock();
        try {
            if (closed) throw new IllegalStateException("the generator is closed");
            if (last != null && !last.isDone())
                throw new IllegalStateException("an answer is running: read it to its end, or close it first");
            scheduler.submit(job);
            last = job;
        } finally {
            lock.unlock();
        }
        return new Generation(scheduler, job);
    }

    private int[] ids(Prompt prompt) {
        int vocabulary = model.info().vocabulary();
        int[] ids = switch (prompt) {
            case Prompt.Tokens t -> t.ids();
            case Prompt.Text t -> model.tokenizer().prompt(t.text(), t.begin(), t.special());
        };
        if (ids.length == 0)
            throw new IllegalArgumentException("the prompt is empty and the vocabulary has no begin token: give at least one token");
        if (ids.length > context)
            throw new IllegalArgumentException(
                    "the prompt has " + ids.length + " tokens, the context " + context + ": raise the context or shorten the prompt");
        for (int id : ids)
            if (id < 0 || id >= vocabulary)
                throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + vocabulary + " tokens");
        return ids;
    }

    /// Ends a running answer, with [StopReason#CLOSED], and gives the cache's pages back, for which it waits until the step that they
    /// are in use by is over. Closing again does nothing.
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) return;
            closed = true;
            if (last != null) {
                scheduler.cancel(last, StopReason.CLOSED);
                last.awaitRelease();
            }
            scheduler.close(conversation);
        } finally {
            lock.unlock();
        }
    }
}
