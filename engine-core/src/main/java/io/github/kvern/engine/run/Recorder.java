package io.github.kvern.engine.run;

import io.github.kvern.ExpertStats;
import io.github.kvern.ModelInfo;
import io.github.kvern.Stats;
import io.github.kvern.StopReason;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Who is told what the engine does, and when: Java Flight Recorder, where this runtime has it and somebody has switched it on;
/// otherwise nobody. Nothing but [RecorderOnDemand], [JfrRecorder] and its events may name the recorder's module, which need not be
/// there.
public sealed interface Recorder permits RecorderOnDemand, Recorder.Nobody {
    /// One for a model.
    static Recorder here() {
        return ModuleLayer.boot().findModule("jdk.jfr").isPresent() ? new RecorderOnDemand() : new Nobody();
    }

    /// A model begins to load.
    Loading loading();

    /// An answer is asked for.
    Answer answer();

    /// A step begins. On the driver's thread, as is its end.
    void stepBegins();

    /// The step is over.
    ///
    /// @param rows tokens computed
    /// @param conversations whose they are
    /// @param logits rows of these whose logits were computed
    /// @param whole false if it was given up between two layers, or failed
    void stepEnds(int rows, int conversations, int logits, boolean whole);

    /// Who can be asked about a model's experts, now and then, until there are none any more.
    void experts(String model, Supplier<List<ExpertStats>> stats);

    /// A model that loads.
    interface Loading {
        /// It is loaded.
        void loaded(ModelInfo info);
    }

    /// An answer and its moments.
    interface Answer {
        /// The first step with its prompt is about to run.
        void promptBegins();

        /// The prompt is in the cache.
        void promptRead(Stats stats);

        /// The first token is chosen.
        void firstToken(Stats stats);

        /// It is over.
        ///
        /// @param failure what made it fail, if it did
        void ended(Stats stats, StopReason why, @Nullable RuntimeException failure);
    }

    /// Nobody listens.
    final class Nobody implements Recorder, Loading, Answer {
        @Override
        public Loading loading() {
            return this;
        }

        @Override
        public Answer answer() {
            return this;
        }

        @Override
        public void stepBegins() {
            // nobody
        }

        @Override
        public void stepEnds(int rows, int conversations, int logits, boolean whole) {
            // nobody
        }

        @Override
        public void experts(String model, Supplier<List<ExpertStats>> stats) {
            // nobody
        }

        @Override
        public void loaded(ModelInfo info) {
            // nobody
        }

        @Override
        public void promptBegins() {
            // nobody
        }

        @Override
        public void promptRead(Stats stats) {
            // nobody
        }

        @Override
        public void firstToken(Stats stats) {
            // nobody
        }

        @Override
        public void ended(Stats stats, StopReason why, @Nullable RuntimeException failure) {
            // nobody
        }
    }
}
