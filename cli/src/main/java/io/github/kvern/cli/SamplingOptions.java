package io.github.kvern.cli;

import io.github.kvern.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/// How tokens are chosen, in llama.cpp's spelling.
final class SamplingOptions {
    private static final Pattern BIAS = Pattern.compile("(\\d{1,9})(?:=|(?=[+-]))(.+)");
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

    @Option(names = {"-n", "--predict", "--n-predict"}, paramLabel = "N",
            description = "The most tokens to generate; -1: until the text or the context ends; 0: only read the prompt. Default: ${DEFAULT-VALUE}.")
    private int maxTokens = Sampling.defaults().maxTokens();

    @Option(names = {"--temp", "--temperature"}, paramLabel = "T",
            description = "Temperature; 0: always the likeliest token. Default: ${DEFAULT-VALUE}.")
    private float temperature = Sampling.defaults().temperature();

    @Option(names = "--top-k", paramLabel = "K", description = "Keep the K likeliest tokens; 0: all. Default: ${DEFAULT-VALUE}.")
    private int topK = Sampling.defaults().topK();

    @Option(names = "--top-p", paramLabel = "P",
            description = "Keep the likeliest tokens that add up to P; 1: all. Default: ${DEFAULT-VALUE}.")
    private float topP = Sampling.defaults().topP();

    @Option(names = "--min-p", paramLabel = "P",
            description = "Keep tokens at least P times as likely as the likeliest; 0: all. Default: ${DEFAULT-VALUE}.")
    private float minP = Sampling.defaults().minP();

    @Option(names = {"--typical", "--typical-p"}, paramLabel = "P",
            description = "Keep the most typical tokens that add up to P; 1: all. Default: ${DEFAULT-VALUE}.")
    private float typical = Sampling.defaults().typical();

    @Option(names = "--repeat-penalty", paramLabel = "X",
            description = "Make tokens that were there less likely; 1: off. Default: ${DEFAULT-VALUE}.")
    private float repeatPenalty = Sampling.defaults().repeatPenalty();

    @Option(names = "--repeat-last-n", paramLabel = "N",
            description = "How many tokens back the penalties look; -1: all. Default: ${DEFAULT-VALUE}.")
    private int repeatLastTokens = Sampling.defaults().repeatLastTokens();

    @Option(names = "--frequency-penalty", paramLabel = "X",
            description = "Taken from a logit for every time the token was there. Default: ${DEFAULT-VALUE}.")
    private float frequencyPenalty = Sampling.defaults().frequencyPenalty();

    @Option(names = "--presence-penalty", paramLabel = "X",
            description = "Taken from a logit once if the token was there. Default: ${DEFAULT-VALUE}.")
    private float presencePenalty = Sampling.defaults().presencePenalty();

    @Option(names = "--logit-bias", paramLabel = "BIAS",
            description = "Add to a token's logit: ID=NUMBER, ID+NUMBER or ID-NUMBER; -inf forbids it. Repeatable.")
    private List<String> biases = new ArrayList<>();

    @Option(names = {"-s", "--seed"}, paramLabel = "N",
            description = "Makes the choice repeatable. Default: a random one, told by --stats and --json.")
    private Optional<Long> seed = Optional.empty();

    @Option(names = {"-r", "--stop", "--reverse-prompt"}, paramLabel = "TEXT", description = "End before this text appears. Repeatable.")
    private List<String> stop = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "Never choose a token that ends the text.")
    private boolean ignoreEndOfText;

    @Option(names = "--logprobs", description = "Tell each token's log-probability: in --json, or else on standard error.")
    private boolean logProbabilities;

    /// The options as the engine knows them; it checks them.
    Sampling sampling() {
        Sampling sampling = Sampling.defaults().maxTokens(maxTokens).temperature(temperature).topK(topK).topP(topP).minP(minP)
                .typical(typical)
                .repeatPenalty(repeatPenalty).repeatLastTokens(repeatLastTokens).frequencyPenalty(frequencyPenalty)
                .presencePenalty(presencePenalty).ignoreEndOfText(ignoreEndOfText).logProbabilities(logProbabilities)
                .stop(stop.toArray(String[]::new));
        for (String bias : biases) {
            Matcher parts = BIAS.matcher(bias);
            if (!parts.matches()) throw wrongBias(bias);
            sampling = sampling.logitBias(Integer.parseInt(parts.group(1)), number(parts.group(2), bias));
        }
        return seed.isPresent() ? sampling.seed(seed.get()) : sampling;
    }

    private static float number(String text, String bias) {
        if (text.toLowerCase(Locale.ROOT).matches("-inf(inity)?")) return Float.NEGATIVE_INFINITY;
        if (!NUMBER.matcher(text).matches()) throw wrongBias(bias);
        return Float.parseFloat(text);
    }

    private static Failure wrongBias(String bias) {
        return Failures.usage("--logit-bias: expected ID=NUMBER, ID+NUMBER, ID-NUMBER or ID-inf, found " + bias);
    }
}
