package io.github.kvern.engine.run;

import io.github.kvern.Sampling;
import io.github.kvern.Stats;
import io.github.kvern.StopReason;
import io.github.kvern.Token;
import io.github.kvern.TokenDecoder;
import io.github.kvern.Tokenizer;
import io.github.kvern.engine.layer.Step;
import io.github.kvern.engine.sample.Sampler;
import io.github.kvern.engine.sample.StopStrings;
import io.github.kvern.kvcache.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// One answer: reads what the cache does not have of the prompt, then one token after the other.
public final class GenerateJob extends Job {
    /// Tokens that the answer may be ahead of its reader.
    private static final int AHEAD = 16;

    private final Sequence sequence;
    private final Tokenizer tokenizer;
    private final Sampling sampling;
    private final Sampler sampler;
    private final TokenDecoder decoder;
    private final StopStrings stops;
    private final Outbox<Token> outbox;
    private final int context;
    private final int promptLength;
    private final int reused;
    private final long loadNanos;
    private final long seed;
    private final long submitted = System.nanoTime();
    private final List<Token> held = new ArrayList<>();
    private int[] ids;
    private int length;
    private volatile int read;
    private volatile int generated;
    private volatile long promptStart;
    private volatile long promptEnd;
    private volatile long firstToken;
    private volatile long lastToken;

    /// @param ids the whole prompt
    /// @param reused how many of them the sequence holds already; fewer than all
    /// @param context the most tokens of prompt and answer
    public GenerateJob(Scheduler scheduler, Sequence sequence, int[] ids, int reused, int context, Tokenizer tokenizer, Sampling sampling,
        Sampler sampler, long seed, long loadNanos) {
        this.sequence = sequence;
        this.tokenizer = tokenizer;
        this.sampling = sampling;
        this.sampler = sampler;
        this.decoder = tokenizer.decoder(false);
        this.stops = new StopStrings(sampling.stop());
        this.outbox = new Outbox<>(AHEAD, scheduler::wake);
        this.context = context;
        this.promptLength = ids.length;
        this.reused = reused;
        this.loadNanos = loadNanos;
        this.seed = seed;
        this.ids = ids.clone();
        this.length = ids.length;
        for (int id : ids) sampler.accept(id);
    }

    /// Where the tokens come.
    public Outbox<Token> outbox() {
        return outbox;
    }

    /// The prompt and what was generated. Meant for after the end.
    public int[] ids() {
        return Arrays.copyOf(ids, length);
    }

    @Override
    boolean ready() {
        return outbox.hasRoom();
    }

    @Override
    int pending() {
        return length - sequence.length();
    }

    @Override
    void fill(Step step, int rows) {
        sequence.reserve(rows);
        if (promptStart == 0) promptStart = System.nanoTime();
        int from = sequence.length();
        boolean reachesEnd = from + rows == length && sampling.maxTokens() != 0 && length < context;
        for (int i = from; i < from + rows; i++) step.add(ids[i], sequence, i, reachesEnd && i == length - 1);
    }

    @Override
    void advance(int rows) {
        sequence.advance(rows);
        if (generated == 0) {
            read = sequence.length() - reused;
            promptEnd = System.nanoTime();
        }
    }

    @Override
    void settle() {
        if (sequence.length() < length) return;
        // everything is read and nothing was sampled: there was nothing to sample for
        finish(sampling.maxTokens() == 0 ? StopReason.MAX_TOKENS : StopReason.CONTEXT_FULL, null);
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the driver writes the count
    void logits(float[] logits, int at) {
        int id = sampler.sample(logits, at);
        lastToken = System.nanoTime();
        if (generated == 0) firstToken = lastToken;
        boolean inVocabulary = id < tokenizer.size(); // the output matrix may have more rows than there are tokens
        if (inVocabulary && !sampling.ignoreEndOfText() && tokenizer.isEndOfGeneration(id)) {
            finish(StopReason.END_OF_TEXT, null);
            return;
        }
        sampler.accept(id);
        if (length == ids.length) ids = Arrays.copyOf(ids, Math.min(context, Math.max(16, 2 * length)));
        ids[length++] = id;
        OptionalDouble p = sampling.logProbabilities() ? OptionalDouble.of(sampler.logProbability()) : OptionalDouble.empty();
        hand(new Token(id, stops.append(inVocabulary ? decoder.append(id) : ""), p));
        generated++;
        if (stops.stopped()) finish(StopReason.STOP_STRING, null);
        else if (generated == sampling.maxTokens()) finish(StopReason.MAX_TOKENS, null);
        else if (length == context) finish(StopReason.CONTEXT_FULL, null);
    }

    /// A token whose text is partly held back (half a character, the possible beginning of a stop string) waits until it is known, so
    /// that what is left at the end still has a token to belong to.
    private void hand(Token token) {
        if (held.isEmpty() && !stops.holds() && !decoder.holds()) {
            outbox.put(token);
            return;
        }
        held.add(token);
        if (!stops.holds() && !decoder.holds()) release();
    }

    private void release() {
        for (int i = 0; i < held.size(); i++) outbox.put(held.get(i));
        held.clear();
    }

    @Override
    void ended(@Nullable RuntimeException failure) {
        if (!held.isEmpty()) {
            String rest = stops.stopped() ? "" : stops.append(decoder.finish()) + stops.finish();
            Token last = held.removeLast();
            held.add(new Token(last.id(), last.text() + rest, last.logProbability()));
            release();
        }
        if (failure != null) outbox.fail(failure);
        else outbox.end();
    }

    /// What it cost so far. From any thread.
    public Stats stats() {
        long first = firstToken;
        return new Stats(promptLength, reused, read, generated, loadNanos, first == 0 ? 0 : first - submitted,
            promptStart == 0 ? 0 : Math.max(0, promptEnd - promptStart), first == 0 ? 0 : lastToken - first, seed);
    }
}
