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
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// One answer: reads what the cache does not have of the prompt, then one token after the other.
public final class GenerateJob extends Job {
    /// Tokens that the answer may be ahead of its reader.
    private static final int AHEAD = 16;

    private final Conversation conversation;
    private final int[] prompt;
    private final Tokenizer tokenizer;
    private final Sampling sampling;
    private final Sampler sampler;
    private final TokenDecoder decoder;
    private final StopStrings stops;
    private final Outbox<Token> outbox;
    private final int context;
    private final long loadNanos;
    private final long seed;
    private final Recorder.Answer recorded;
    private final ExpertTotals experts;
    private volatile Optional<Stats.Experts> expertsBefore = Optional.empty(), expertsAfter = Optional.empty();
    private final long submitted = System.nanoTime();
    /// The last token, while some of its text is not known yet: what is left at the end needs a token to belong to.
    private @Nullable Token held;
    private volatile int reused;
    private volatile int read;
    private volatile int generated;
    private volatile long promptStart;
    private volatile long promptEnd;
    private volatile long firstToken;
    private volatile long lastToken;

    /// @param prompt the whole prompt, 1 id or more; not copied
    /// @param context the most tokens of prompt and answer
    public GenerateJob(Scheduler scheduler, Conversation conversation, int[] prompt, int context, Tokenizer tokenizer, Sampling sampling,
            Sampler sampler, long seed, long loadNanos) {
        this.conversation = conversation;
        this.prompt = prompt;
        this.tokenizer = tokenizer;
        this.sampling = sampling;
        this.sampler = sampler;
        this.decoder = tokenizer.decoder(false);
        this.stops = new StopStrings(sampling.stop());
        this.outbox = new Outbox<>(AHEAD, scheduler::wake);
        this.recorded = scheduler.recorder().answer();
        this.experts = scheduler.experts();
        this.context = context;
        this.loadNanos = loadNanos;
        this.seed = seed;
        for (int id : prompt) sampler.accept(id);
    }

    /// Where the tokens come.
    public Outbox<Token> outbox() {
        return outbox;
    }

    @Override
    Outbox<?> results() {
        return outbox;
    }

    Conversation conversation() {
        return conversation;
    }

    @Override
    void begin() {
        reused = conversation.begin(prompt);
    }

    @Override
    boolean hasRoom() {
        return outbox.hasRoom(held == null ? 0 : 1);
    }

    @Override
    int pending() {
        return conversation.length() - conversation.sequence().length();
    }

    @Override
    void fill(Step step, int rows) {
        conversation.sequence().reserve(rows);
        if (promptStart == 0) {
            expertsBefore = experts.now();
            promptStart = System.nanoTime();
            recorded.promptBegins();
        }
        int from = conversation.sequence().length(), length = conversation.length();
        boolean reachesEnd = from + rows == length && sampling.maxTokens() != 0 && length < context;
        for (int i = from; i < from + rows; i++) step.add(conversation.id(i), conversation.sequence(), i, reachesEnd && i == length - 1);
    }

    @Override
    void advance(int rows) {
        conversation.sequence().advance(rows);
        if (generated == 0) {
            read = conversation.sequence().length() - reused;
            promptEnd = System.nanoTime();
            if (pending() == 0) recorded.promptRead(stats());
        }
    }

    @Override
    void settle() {
        if (pending() > 0) return;
        // everything is read and nothing was sampled: there was nothing to sample for
        end(sampling.maxTokens() == 0 ? StopReason.MAX_TOKENS : StopReason.CONTEXT_FULL, null);
    }

    @Override
    void logits(float[] logits, int at) {
        int id = sampler.sample(logits, at);
        lastToken = System.nanoTime();
        if (generated == 0) {
            firstToken = lastToken;
            recorded.firstToken(stats());
        }
        boolean inVocabulary = id < tokenizer.size(); // the output matrix may have more rows than there are tokens
        if (inVocabulary && !sampling.ignoreEndOfText() && tokenizer.isEndOfGeneration(id)) {
            end(StopReason.END_OF_TEXT, null);
            return;
        }
        sampler.accept(id);
        conversation.add(id);
        OptionalDouble p = sampling.logProbabilities() ? OptionalDouble.of(sampler.logProbability()) : OptionalDouble.empty();
        hand(new Token(id, stops.append(inVocabulary ? decoder.append(id) : ""), p));
        int count = generated + 1; // this thread alone writes it
        generated = count;
        if (stops.stopped()) end(StopReason.STOP_STRING, null);
        else if (count == sampling.maxTokens()) end(StopReason.MAX_TOKENS, null);
        else if (conversation.length() == context) end(StopReason.CONTEXT_FULL, null);
    }

    private void hand(Token token) {
        Token before = held;
        if (before != null) outbox.put(before);
        boolean holds = stops.holds() || decoder.holds();
        held = holds ? token : null;
        if (!holds) outbox.put(token);
    }

    @Override
    StopReason flush(StopReason why) {
        Token last = held;
        if (last == null) return why;
        held = null;
        String rest = stops.stopped() ? "" : stops.append(decoder.finish());
        if (!stops.stopped()) rest += stops.finish();
        outbox.put(rest.isEmpty() ? last : new Token(last.id(), last.text() + rest, last.logProbability()));
        // A stop string may have been waiting for a longer one that begins before it and now cannot come any more.
        boolean byItself = why != StopReason.CANCELLED && why != StopReason.CLOSED;
        return stops.stopped() && byItself ? StopReason.STOP_STRING : why;
    }

    @Override
    void ended(StopReason why, @Nullable RuntimeException failure) {
        expertsAfter = experts.now(); // what others do from here on is not its
        recorded.ended(stats(), why, failure);
    }

    @Override
    void forget() {
        conversation.forget();
    }

    @Override
    void free(long now) {
        conversation.ended(now);
    }

    /// What it cost so far. From any thread.
    public Stats stats() {
        long first = firstToken, start = promptStart;
        Optional<Stats.Experts> now = expertsAfter.or(experts::now), before = expertsBefore.or(() -> now);
        return new Stats(prompt.length, reused, read, generated, loadNanos, first == 0 ? 0 : first - submitted,
                start == 0 ? 0 : Math.max(0, promptEnd - start), first == 0 ? 0 : lastToken - first, seed,
                now.map(e -> e.since(before.orElse(e))));
    }
}
