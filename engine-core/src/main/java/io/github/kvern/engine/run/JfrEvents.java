package io.github.kvern.engine.run;

import io.github.kvern.Stats;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;

/// What Java Flight Recorder is told. Names and fields are a contract: tools read them.
final class JfrEvents {
    private JfrEvents() {
    }

    @Name("io.github.kvern.Load")
    @Label("Model Load")
    @Description("A model was loaded: from the call to the moment when answers can be asked for")
    @Category("Kvern")
    @StackTrace(false)
    static final class Load extends Event {
        @Label("Model")
        String model = "";

        @Label("Architecture")
        String architecture = "";

        @Label("Path")
        String path = "";

        @Label("Size of Files")
        @DataAmount
        long bytes;

        @Label("Parameters")
        long parameters;

        @Label("Kernels")
        String kernels = "";

        @Label("Threads")
        int threads;
    }

    /// What every event of an answer tells.
    abstract static class OfAnswer extends Event {
        @Label("Answer")
        @Description("The answer's number, counted from 1 for each model")
        long answer;

        @Label("Prompt Tokens")
        int promptTokens;

        @Label("Reused Tokens")
        @Description("Tokens of the prompt that were in the cache")
        int reusedTokens;

        final void tell(long number, Stats stats) {
            answer = number;
            promptTokens = stats.promptTokens();
            reusedTokens = stats.reusedTokens();
        }
    }

    @Name("io.github.kvern.Prefill")
    @Label("Prompt Reading")
    @Description("A prompt was read: from its first step to its last; other conversations may have shared the steps")
    @Category("Kvern")
    @StackTrace(false)
    static final class Prefill extends OfAnswer {
        @Label("Read Tokens")
        @Description("Tokens of the prompt that were computed")
        int readTokens;
    }

    @Name("io.github.kvern.Step")
    @Label("Step")
    @Description("One pass through the layers and the logits that came of it")
    @Category("Kvern")
    @StackTrace(false)
    @Threshold("20 ms")
    static final class Step extends Event {
        @Label("Rows")
        @Description("Tokens that were computed")
        int rows;

        @Label("Conversations")
        @Description("Answers and scorings that the rows belong to")
        int conversations;

        @Label("Logits")
        @Description("Rows whose logits were computed")
        int logits;

        @Label("Whole")
        @Description("False if the step was given up between two layers because nobody waited for it, or failed")
        boolean whole;
    }

    @Name("io.github.kvern.FirstToken")
    @Label("First Token")
    @Description("The first token of an answer: from the call to the choice of the token")
    @Category("Kvern")
    @StackTrace(false)
    static final class FirstToken extends OfAnswer {
        // no more than that
    }

    @Name("io.github.kvern.Expert")
    @Label("Expert")
    @Description("What one routed expert did since its model was loaded; only experts that were chosen at all")
    @Category("Kvern")
    @StackTrace(false)
    @Period("60 s")
    static final class Expert extends Event {
        @Label("Model")
        String model = "";

        @Label("Layer")
        int layer;

        @Label("Expert")
        int expert;

        @Label("Tokens")
        @Description("Tokens that it was chosen for")
        long tokens;

        @Label("Uses")
        @Description("Steps that it was chosen in")
        long uses;

        @Label("Size")
        @DataAmount
        long size;

        @Label("Resident")
        @Description("Bytes of it in memory; -1 if nobody can tell")
        @DataAmount
        long resident;

        @Label("Missed")
        @Description("Bytes of it that were not in memory when it was asked for; -1 if nobody looked")
        @DataAmount
        long missed;
    }

    @Name("io.github.kvern.Generation")
    @Label("Generation")
    @Description("A whole answer: from the call to its end, waiting for its reader included")
    @Category("Kvern")
    @StackTrace(false)
    static final class Generation extends OfAnswer {
        @Label("Generated Tokens")
        int generatedTokens;

        @Label("Prompt Time")
        @Timespan(Timespan.NANOSECONDS)
        long promptTime;

        @Label("First Token Time")
        @Description("From the call to the first token; 0 if there was none")
        @Timespan(Timespan.NANOSECONDS)
        long firstTokenTime;

        @Label("Generation Time")
        @Description("From the first token to the last")
        @Timespan(Timespan.NANOSECONDS)
        long generationTime;

        @Label("Tokens per Second")
        @Description("After the first token; 0 if there were not two")
        float tokensPerSecond;

        @Label("Stop Reason")
        @Description("As in StopReason, or FAILED")
        String stopReason = "";

        @Label("Failure")
        @Description("What made it fail, if it did")
        String failure = "";
    }
}
