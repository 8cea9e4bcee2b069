package io.github.kvern.engine.run;

import io.github.kvern.ExpertStats;
import io.github.kvern.ModelInfo;
import io.github.kvern.Stats;
import io.github.kvern.StopReason;
import java.util.List;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/// Writes [JfrEvents]. While nobody records, an event costs a look at a flag. An event is ended before it is asked whether it should be
/// committed: it has no duration before, and a threshold keeps it out.
final class JfrRecorder {
    private JfrEvents.Step step = new JfrEvents.Step(); // the driver's
    private final Runnable tellExperts = this::tellExperts;
    private volatile String name = "";
    private volatile Supplier<List<ExpertStats>> askExperts = List::of;

    Recorder.Loading loading() {
        JfrEvents.Load event = new JfrEvents.Load();
        event.begin();
        return info -> loaded(event, info);
    }

    private static void loaded(JfrEvents.Load event, ModelInfo info) {
        event.end();
        if (!event.shouldCommit()) return;
        event.model = info.name();
        event.architecture = info.architecture();
        event.path = info.paths().getFirst().toString();
        event.bytes = info.bytes();
        event.parameters = info.parameters();
        event.kernels = info.kernels();
        event.threads = info.threads();
        event.commit();
    }

    void stepBegins() {
        step = new JfrEvents.Step();
        step.begin();
    }

    void stepEnds(int rows, int conversations, int logits, boolean whole) {
        JfrEvents.Step event = step;
        event.end();
        if (!event.shouldCommit()) return;
        event.rows = rows;
        event.conversations = conversations;
        event.logits = logits;
        event.whole = whole;
        event.commit();
    }

    /// From now on these are asked, once in a while; nobody if there is nothing to ask about.
    void experts(String model, Supplier<List<ExpertStats>> stats) {
        if (FlightRecorder.removePeriodicEvent(tellExperts) && new JfrEvents.Expert().isEnabled()) tellExperts(); // the last word
        name = model;
        askExperts = stats;
        if (!stats.get().isEmpty()) FlightRecorder.addPeriodicEvent(JfrEvents.Expert.class, tellExperts);
    }

    private void tellExperts() {
        for (ExpertStats s : askExperts.get()) {
            if (s.uses() == 0) continue;
            JfrEvents.Expert event = new JfrEvents.Expert();
            event.model = name;
            event.layer = s.layer();
            event.expert = s.expert();
            event.tokens = s.tokens();
            event.uses = s.uses();
            event.size = s.bytes();
            event.resident = s.residentBytes().orElse(-1);
            event.missed = s.missedBytes().orElse(-1);
            event.commit();
        }
    }

    Recorder.Answer answer(long number) {
        return new Moments(number);
    }

    /// The events of one answer. They begin on one thread and end on another.
    private static final class Moments implements Recorder.Answer {
        private final long number;
        private final JfrEvents.Generation whole = new JfrEvents.Generation();
        private final JfrEvents.FirstToken first = new JfrEvents.FirstToken();
        private final JfrEvents.Prefill prefill = new JfrEvents.Prefill();

        Moments(long number) {
            this.number = number;
            whole.begin();
            first.begin();
        }

        @Override
        public void promptBegins() {
            prefill.begin();
        }

        @Override
        public void promptRead(Stats stats) {
            prefill.end();
            if (!prefill.shouldCommit()) return;
            prefill.tell(number, stats);
            prefill.readTokens = stats.readTokens();
            prefill.commit();
        }

        @Override
        public void firstToken(Stats stats) {
            first.end();
            if (!first.shouldCommit()) return;
            first.tell(number, stats);
            first.commit();
        }

        @Override
        public void ended(Stats stats, StopReason why, @Nullable RuntimeException failure) {
            whole.end();
            if (!whole.shouldCommit()) return;
            whole.tell(number, stats);
            whole.generatedTokens = stats.generatedTokens();
            whole.promptTime = stats.promptNanos();
            whole.firstTokenTime = stats.firstTokenNanos();
            whole.generationTime = stats.generationNanos();
            whole.tokensPerSecond = (float) stats.tokensPerSecond();
            whole.stopReason = failure == null ? why.name() : "FAILED";
            whole.failure = failure == null ? "" : String.valueOf(failure.getMessage());
            whole.commit();
        }
    }
}
