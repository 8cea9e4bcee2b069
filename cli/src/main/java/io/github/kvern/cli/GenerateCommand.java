package io.github.kvern.cli;

import io.github.kvern.Generation;
import io.github.kvern.Generator;
import io.github.kvern.GeneratorOptions;
import io.github.kvern.Model;
import io.github.kvern.ModelOptions;
import io.github.kvern.Prompt;
import io.github.kvern.Sampling;
import io.github.kvern.Stats;
import io.github.kvern.StopReason;
import io.github.kvern.Token;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `generate`: continues a text.
@Command(name = "generate",
        description = {"Continue a text.", "The text that is generated goes to standard output as it comes, everything else to "
                + "standard error."},
        sortOptions = false)
final class GenerateCommand implements Callable<Integer> {
    private final Session session;

    @Parameters(arity = "0..*", paramLabel = "PROMPT", description = "The text to continue; default: standard input.")
    private List<String> arguments = new ArrayList<>();

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Mixin
    private final PromptSource source = new PromptSource();

    @Option(names = {"-c", "--ctx-size"}, paramLabel = "N",
            description = "The most tokens of prompt and answer together; 0 (the default): the model's own context, at most 8192.")
    private int context;

    @Mixin
    private final SamplingOptions choice = new SamplingOptions();

    @Option(names = "--special", description = "Text in the prompt that spells a special token is that token.")
    private boolean special;

    @Option(names = "--no-bos", description = "Do not put the begin token in front of the prompt.")
    private boolean noBos;

    @Option(names = "--stats", description = "Tell counts, times and speeds at the end, on standard error.")
    private boolean withStats;

    @Option(names = "--json", description = "Print one JSON object at the end instead of the text as it comes.")
    private boolean json;

    @Mixin
    private final ExpertOptions experts = new ExpertOptions();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    GenerateCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        Sampling sampling = choice.sampling();
        ModelOptions options = compute.options();
        experts.check();
        GeneratorOptions size = GeneratorOptions.context(context);
        String text = withoutLastLineEnd(source.read(session.terminal(), arguments));
        Path path = model.path();
        try (Model loaded = ComputeOptions.load(session, path, options)) {
            experts.begin(session, loaded);
            answer(loaded, size, text, sampling);
            experts.end(session, loaded);
        }
        return Failures.DONE;
    }

    private void answer(Model loaded, GeneratorOptions size, String text, Sampling sampling) {
        try (Generator generator = loaded.generator(size);
                Generation answer = generator.generate(Prompt.text(text).begin(!noBos).special(special), sampling)) {
            AnswerOutput.Wanted wanted = new AnswerOutput.Wanted(json, withStats, sampling.logProbabilities(), sampling.maxTokens(),
                    generator.context());
            AnswerOutput output = new AnswerOutput(session.terminal(), wanted, text);
            session.interrupts().onInterrupt(answer::cancel, () -> output.end(StopReason.CANCELLED, answer.stats()));
            write(answer, output);
            if (withStats) session.terminal().note(ComputeOptions.line(loaded.info().weights()));
            output.end(answer.stopReason(), answer.stats());
        }
    }

    private void write(Generation answer, AnswerOutput output) {
        try (Progress progress = Progress.start(session.terminal(), () -> reading(answer.stats()))) {
            for (Token token : answer) {
                progress.stop();
                output.take(token);
            }
        }
    }

    /// The progress line; nothing once the prompt is read, as the text follows at once.
    private static String reading(Stats stats) {
        int all = stats.promptTokens() - stats.reusedTokens();
        if (all <= 0 || stats.generatedTokens() > 0) return "";
        if (stats.readTokens() == 0) return "reading the prompt: " + all + " tokens";
        return "reading the prompt: " + stats.readTokens() + " of " + all + " tokens, " + 100L * stats.readTokens() / all + " %, "
                + Page.decimal(stats.promptTokensPerSecond()) + " tokens/s";
    }

    /// Without the one line end that editors and `echo` put behind a text: with it the model would begin a new paragraph.
    private String withoutLastLineEnd(String text) {
        if (!source.isStream(arguments) || !text.endsWith("\n")) return text;
        return text.substring(0, text.length() - (text.endsWith("\r\n") ? 2 : 1));
    }
}
