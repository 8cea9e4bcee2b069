package io.github.kvern.cli;

import io.github.kvern.Generation;
import io.github.kvern.Generator;
import io.github.kvern.GeneratorOptions;
import io.github.kvern.Model;
import io.github.kvern.ModelInfo;
import io.github.kvern.ModelOptions;
import io.github.kvern.Prompt;
import io.github.kvern.Sampling;
import io.github.kvern.Stats;
import io.github.kvern.WeightsInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `bench`: tokens per second.
@Command(name = "bench",
        description = {"Measure tokens per second: reading a prompt (pp) and generating text (tg).", "Each test runs until it is "
                + "warmed up, then its runs are measured."},
        sortOptions = false)
final class BenchCommand implements Callable<Integer> {
    /// Warm when two runs in a row differ by less than this share,
    private static final double STABLE = 0.03;
    /// or after so long.
    private static final long LONGEST_WARM_UP_NANOS = 20_000_000_000L;

    /// Longer than the compiler is waited for.
    private static final Duration LONGEST_COMPILATION = Duration.ofSeconds(90);

    private final Session session;
    private final Compilation compilation;

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Option(names = {"-p", "--n-prompt"}, paramLabel = "N",
            description = "Tokens of the prompt test; 0 leaves it out. Default: ${DEFAULT-VALUE}.")
    private int promptTokens = 512;

    @Option(names = {"-n", "--n-gen"}, paramLabel = "N",
            description = "Tokens of the generation test; 0 leaves it out. Default: ${DEFAULT-VALUE}.")
    private int generatedTokens = 32;

    @Option(names = {"-r", "--repetitions"}, paramLabel = "N", description = "Measured runs of each test. Default: ${DEFAULT-VALUE}.")
    private int repetitions = 5;

    @Option(names = "--json", description = "One JSON array, an object for each test.")
    private boolean json;

    @Mixin
    private final ExpertOptions experts = new ExpertOptions();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    BenchCommand(Session session) {
        this(session, loaded -> loaded.awaitWarm(LONGEST_COMPILATION));
    }

    BenchCommand(Session session, Compilation compilation) {
        this.session = session;
        this.compilation = compilation;
    }

    /// Waits for a model's kernels.
    @FunctionalInterface
    interface Compilation {
        /// @return whether all of them are compiled
        boolean await(Model loaded) throws InterruptedException;
    }

    /// One test and what it gave.
    private record Result(String test, int threads, double[] runs) {
        double median() {
            double[] sorted = runs.clone();
            Arrays.sort(sorted);
            int half = sorted.length / 2;
            return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        }
    }

    @Override
    public Integer call() {
        check("-p", promptTokens, 0);
        check("-n", generatedTokens, 0);
        check("-r", repetitions, 1);
        experts.check();
        ModelOptions options = compute.options();
        List<Result> results = new ArrayList<>();
        try (Model loaded = ComputeOptions.load(session, model.path(), options)) {
            boolean compiled = awaitKernels(loaded);
            experts.begin(session, loaded);
            if (promptTokens > 0) results.add(measure(loaded, "pp" + promptTokens, promptTokens, 0, Stats::promptTokensPerSecond));
            // the first token comes with the prompt: only the ones behind it are steps of generation
            if (generatedTokens > 0) results.add(measure(loaded, "tg" + generatedTokens, 1, generatedTokens + 1, Stats::tokensPerSecond));
            if (json) writeJson(loaded.info().weights(), compiled, results);
            else print(loaded.info(), results);
            experts.end(session, loaded);
        }
        return Failures.DONE;
    }

    /// A kernel that is still being compiled would compete with what is measured, and plain loops would be measured in its place.
    ///
    /// @return whether all are compiled
    private boolean awaitKernels(Model loaded) {
        boolean compiled = false;
        try (Progress _ = Progress.start(session.terminal(), () -> "compiling kernels")) {
            compiled = compilation.await(loaded);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!compiled)
            session.terminal()
                    .note("not all kernels were compiled to vector code: what is measured is partly plain loops, which are slower");
        return compiled;
    }

    private static void check(String option, int value, int least) {
        if (value < least || value > 1 << 20)
            throw Failures.usage(option + ": expected " + least + " to " + (1 << 20) + ", found " + value);
    }

    private Result measure(Model loaded, String test, int prompt, int generated, ToDoubleFunction<Stats> rate) {
        int[] ids = new SplittableRandom(prompt).ints(prompt, 0, loaded.info().vocabulary()).toArray();
        Sampling sampling = Sampling.greedy().ignoreEndOfText(true).maxTokens(generated);
        long begin = System.nanoTime();
        double last = run(loaded, test + ", warming up", ids, generated, sampling, rate);
        for (boolean warm = false; !warm && System.nanoTime() - begin < LONGEST_WARM_UP_NANOS;) {
            double next = run(loaded, test + ", warming up", ids, generated, sampling, rate);
            warm = Math.abs(next - last) < STABLE * last;
            last = next;
        }
        double[] runs = new double[repetitions];
        for (int i = 0; i < runs.length; i++)
            runs[i] = run(loaded, test + ", run " + (i + 1) + " of " + runs.length, ids, generated, sampling, rate);
        return new Result(test, loaded.info().threads(), runs);
    }

    /// One run in a conversation of its own, so that nothing is in its cache.
    private double run(Model loaded, String what, int[] ids, int generated, Sampling sampling, ToDoubleFunction<Stats> rate) {
        try (Progress _ = Progress.start(session.terminal(), () -> what);
                Generator generator = loaded.generator(GeneratorOptions.context(ids.length + generated + 1));
                Generation answer = generator.generate(Prompt.tokens(ids), sampling)) {
            answer.forEach(token -> {
            });
            return rate.applyAsDouble(answer.stats());
        }
    }

    private void writeJson(WeightsInfo weights, boolean compiled, List<Result> results) {
        Json.write(session.terminal().out(), out -> {
            out.writeStartArray();
            for (Result result : results) {
                out.writeStartObject();
                out.writeStringField("test", result.test());
                out.writeNumberField("threads", result.threads());
                out.writeArrayFieldStart("runs");
                for (double run : result.runs()) out.writeNumber(Answer.rounded(run));
                out.writeEndArray();
                out.writeNumberField("median", Answer.rounded(result.median()));
                out.writeStringField("weights", ComputeOptions.name(weights));
                out.writeStringField("weightsReason", weights.reason());
                out.writeBooleanField("kernelsCompiled", compiled);
                out.writeEndObject();
            }
            out.writeEndArray();
        });
    }

    private void print(ModelInfo info, List<Result> results) {
        Page page = new Page();
        page.line(info.name() + ", " + Page.bytes(info.bytes()) + ", " + info.kernels() + " kernels, " + info.threads()
                + (info.threads() == 1 ? " thread" : " threads"));
        page.line(ComputeOptions.line(info.weights()));
        for (Result result : results) {
            page.row(result.test(), Page.decimal(result.median()) + " tokens/s",
                    "runs " + Arrays.stream(result.runs()).mapToObj(Page::decimal).collect(Collectors.joining(" ")));
        }
        page.endTable(1);
        session.terminal().print(page.text());
    }
}
