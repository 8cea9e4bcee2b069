package io.github.kvern.cli;

import io.github.kvern.Stats;
import io.github.kvern.StopReason;
import io.github.kvern.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// Where an answer goes: text as it comes, or one JSON object at the end, and the notes about it.
///
/// The end may be told by the verb or, when that is too slow after Ctrl-C, by the thread that interrupts; it is told once.
final class AnswerOutput {
    /// What is wanted.
    ///
    /// @param maxTokens the limit in force, for the note that it was reached
    /// @param context likewise
    record Wanted(boolean json, boolean stats, boolean logProbabilities, int maxTokens, int context) {
    }

    private final Terminal terminal;
    private final Wanted wanted;
    private final String prompt;
    private final StringBuilder text = new StringBuilder();
    private final List<Token> tokens = new ArrayList<>();
    private boolean ended;

    AnswerOutput(Terminal terminal, Wanted wanted, String prompt) {
        this.terminal = terminal;
        this.wanted = wanted;
        this.prompt = prompt;
    }

    /// Takes the next token. Printing waits for a slow reader, so it must not hold up the end.
    void take(Token token) {
        boolean first = keep(token);
        if (wanted.json()) return;
        if (first && terminal.outIsTerminal()) terminal.print(prompt);
        if (!token.text().isEmpty()) terminal.print(token.text());
    }

    private synchronized boolean keep(Token token) {
        tokens.add(token);
        text.append(token.text());
        return tokens.size() == 1;
    }

    /// Tells what there is to tell at the end. Doing so again does nothing.
    synchronized void end(StopReason reason, Stats stats) {
        if (ended) return;
        ended = true;
        if (wanted.json()) {
            Json.write(terminal.out(), out -> Answer.write(out, text.toString(), tokens, reason, stats, wanted.logProbabilities()));
        } else if (terminal.outIsTerminal() && !tokens.isEmpty()) {
            terminal.print("\n");
        }
        if (reason == StopReason.MAX_TOKENS && wanted.maxTokens() > 0)
            terminal.note("stopped at the limit of " + wanted.maxTokens() + " tokens (-n)");
        if (reason == StopReason.CONTEXT_FULL) terminal.note("stopped at the end of the context of " + wanted.context() + " tokens (-c)");
        if (!wanted.json() && wanted.logProbabilities()) terminal.err().print(table());
        if (wanted.stats()) terminal.note(line(stats));
    }

    private String table() {
        Page page = new Page();
        for (Token token : tokens) {
            String logProbability = Page.decimal(token.logProbability().orElse(Double.NaN));
            page.row(String.valueOf(token.id()), logProbability, Terminal.quoted(token.text()));
        }
        page.endTable(0, 1);
        return page.text();
    }

    private static String line(Stats stats) {
        String reused = stats.reusedTokens() == 0 ? "" : " (" + stats.reusedTokens() + " reused)";
        String read = "prompt " + stats.promptTokens() + " tokens" + reused + ", " + Page.decimal(stats.promptTokensPerSecond())
                + " tokens/s";
        String generated = "generated " + stats.generatedTokens() + ", " + Page.decimal(stats.tokensPerSecond()) + " tokens/s";
        String times = "load " + Page.seconds(stats.loadNanos()) + ", first token after " + Page.seconds(stats.firstTokenNanos());
        return read + "; " + generated + "; " + times + "; seed " + stats.seed() + stats.experts().map(AnswerOutput::line).orElse("");
    }

    private static String line(Stats.Experts experts) {
        OptionalLong missed = experts.missedBytes();
        return "; experts used " + Page.count(experts.uses()) + " times, " + Page.bytes(experts.readBytes())
                + (missed.isPresent() ? ", " + Page.bytes(missed.getAsLong()) + " of it not in memory when asked for" : "");
    }
}
