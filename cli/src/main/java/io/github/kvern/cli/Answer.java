package io.github.kvern.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.kvern.Stats;
import io.github.kvern.StopReason;
import io.github.kvern.Token;
import java.io.IOException;
import java.util.List;

/// An answer as JSON. Others script against these names: none is changed, none is removed.
final class Answer {
    private Answer() {
    }

    static void write(JsonGenerator json, String text, List<Token> tokens, StopReason reason, Stats stats, boolean logProbabilities)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("text", text);
        json.writeArrayFieldStart("ids");
        for (Token token : tokens) json.writeNumber(token.id());
        json.writeEndArray();
        if (logProbabilities) {
            json.writeArrayFieldStart("logprobs");
            for (Token token : tokens) json.writeNumber(token.logProbability().orElse(Double.NaN));
            json.writeEndArray();
        }
        json.writeStringField("stopReason", reason.name());
        json.writeObjectFieldStart("stats");
        json.writeNumberField("promptTokens", stats.promptTokens());
        json.writeNumberField("reusedTokens", stats.reusedTokens());
        json.writeNumberField("generatedTokens", stats.generatedTokens());
        json.writeNumberField("loadMillis", millis(stats.loadNanos()));
        json.writeNumberField("firstTokenMillis", millis(stats.firstTokenNanos()));
        json.writeNumberField("promptTokensPerSecond", rounded(stats.promptTokensPerSecond()));
        json.writeNumberField("tokensPerSecond", rounded(stats.tokensPerSecond()));
        json.writeNumberField("seed", stats.seed());
        if (stats.experts().isPresent()) {
            Stats.Experts experts = stats.experts().get();
            json.writeObjectFieldStart("experts");
            json.writeNumberField("tokens", experts.tokens());
            json.writeNumberField("uses", experts.uses());
            json.writeNumberField("readBytes", experts.readBytes());
            if (experts.missedBytes().isPresent()) json.writeNumberField("missedBytes", experts.missedBytes().getAsLong());
            json.writeEndObject();
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private static double millis(long nanos) {
        return Math.round(nanos / 1e3) / 1e3;
    }

    /// Three digits behind the point: more are noise.
    static double rounded(double number) {
        return Math.round(number * 1e3) / 1e3;
    }
}
