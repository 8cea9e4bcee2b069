package io.github.kvern.engine.run;

import io.github.kvern.ExpertStats;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/// Touches Flight Recorder's events only once that is switched on: the first event class of a JVM takes a few hundred milliseconds.
final class RecorderOnDemand implements Recorder {
    private static final Nobody NOBODY = new Nobody();

    private final AtomicLong answers = new AtomicLong();
    private volatile @Nullable JfrRecorder recorder;
    private @Nullable JfrRecorder ofStep; // the driver's
    private String name = "";
    private Supplier<List<ExpertStats>> experts = List::of;

    private @Nullable JfrRecorder recorder() {
        JfrRecorder found = recorder;
        return found != null || !FlightRecorder.isInitialized() ? found : make();
    }

    private synchronized JfrRecorder make() {
        JfrRecorder found = recorder;
        if (found == null) {
            recorder = found = new JfrRecorder();
            found.experts(name, experts);
        }
        return found;
    }

    @Override
    public synchronized void experts(String model, Supplier<List<ExpertStats>> stats) {
        name = model;
        experts = stats;
        JfrRecorder found = recorder;
        if (found != null) found.experts(model, stats);
    }

    @Override
    public Loading loading() {
        JfrRecorder found = recorder();
        return found == null ? NOBODY : found.loading();
    }

    @Override
    public Answer answer() {
        long number = answers.incrementAndGet();
        JfrRecorder found = recorder();
        return found == null ? NOBODY : found.answer(number);
    }

    @Override
    public void stepBegins() {
        ofStep = recorder();
        if (ofStep != null) ofStep.stepBegins();
    }

    @Override
    public void stepEnds(int rows, int conversations, int logits, boolean whole) {
        JfrRecorder found = ofStep;
        if (found != null) found.stepEnds(rows, conversations, logits, whole);
    }
}
