package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Several conversations share a cache that does not hold all of them.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BudgetTest {
    private static final Sampling ENDLESS = Shipped.GREEDY.maxTokens(-1).ignoreEndOfText(true);
    private static final GeneratorOptions SIZE = GeneratorOptions.context(128);

    /// Bytes that a conversation of 128 tokens takes.
    private static long whole() {
        try (Model tiny = Shipped.load(Shipped.exact().cacheBytes(400_000))) {
            String message = assertThrows(MemoryBudgetException.class, () -> tiny.generator(SIZE)).getMessage();
            assertTrue(message.contains("128 tokens needs") && message.contains("available are 400000"), message);
            return Long.parseLong(message.replaceAll(".*needs (\\d+) bytes.*", "$1"));
        }
    }

    @Test
    void aContextThatCanNeverFit() {
        long bytes = whole();
        try (Model model = Shipped.load(Shipped.exact().cacheBytes(bytes))) {
            assertThrows(MemoryBudgetException.class, () -> model.generator(GeneratorOptions.context(129)));
            assertThrows(MemoryBudgetException.class, () -> model.score(Shipped.prompt(model, 300), new int[] {299}));
            try (Generator fits = model.generator(SIZE)) {
                Generation g = fits.generate(Prompt.text(Shipped.PROMPT), ENDLESS);
                assertTrue(Shipped.tokens(g).size() > 112);
                assertEquals(StopReason.CONTEXT_FULL, g.stopReason());
            }
        }
    }

    @Test
    void oneFailsAndTheOthersGoOn() {
        int conversations = 4;
        List<Token> alone;
        try (Model model = Shipped.load(Shipped.exact()); Generator g = model.generator(SIZE)) {
            alone = Shipped.tokens(g.generate(Prompt.text(Shipped.PROMPT), ENDLESS));
        }
        try (Model model = Shipped.load(Shipped.exact().cacheBytes(5 * whole() / 2))) {
            List<Generator> generators = new ArrayList<>();
            List<CompletableFuture<String>> answers = new ArrayList<>();
            for (int i = 0; i < conversations; i++) {
                generators.add(model.generator(SIZE));
                answers.add(generators.get(i).generate(Prompt.text(Shipped.PROMPT), ENDLESS).future());
            }
            int failed = 0;
            for (CompletableFuture<String> answer : answers) {
                try {
                    assertEquals(Shipped.text(alone), answer.join());
                } catch (CompletionException e) {
                    if (!(e.getCause() instanceof MemoryBudgetException)) throw e;
                    failed++;
                }
            }
            assertEquals(2, failed, "there is room for two and a half");
            // who failed may try again: the others' memory is free for the asking, as they are idle
            for (Generator g : generators) assertEquals(alone, Shipped.tokens(g.generate(Prompt.text(Shipped.PROMPT), ENDLESS)));
            generators.forEach(Generator::close);
        }
    }

    @Test
    void idleConversationsMakeWayTheOldestFirst() {
        Prompt prompt = Prompt.text(Shipped.PROMPT);
        try (Model model = Shipped.load(Shipped.exact().cacheBytes(5 * whole() / 2));
                Generator first = model.generator(SIZE);
                Generator second = model.generator(SIZE);
                Generator third = model.generator(SIZE)) {
            List<Token> all = Shipped.tokens(first.generate(prompt, ENDLESS));
            assertEquals(all, Shipped.tokens(second.generate(prompt, ENDLESS)));
            assertEquals(all, Shipped.tokens(third.generate(prompt, ENDLESS)));
            Generation kept = second.generate(prompt, Shipped.GREEDY.maxTokens(1));
            Shipped.tokens(kept);
            assertEquals(kept.stats().promptTokens() - 1, kept.stats().reusedTokens());
            Generation lost = first.generate(prompt, Shipped.GREEDY.maxTokens(1));
            assertEquals(1, Shipped.tokens(lost).size());
            assertEquals(0, lost.stats().reusedTokens());
        }
    }

    @Test
    void scoringMakesWayAsWell() {
        try (Model model = Shipped.load(Shipped.exact().cacheBytes(whole())); Generator generator = model.generator(SIZE)) {
            List<Token> before = Shipped.tokens(generator.generate(Prompt.text(Shipped.PROMPT), ENDLESS));
            assertEquals(1, model.score(Shipped.prompt(model, 120), new int[] {119}).length);
            Generation again = generator.generate(Prompt.text(Shipped.PROMPT), ENDLESS);
            assertEquals(before, Shipped.tokens(again));
            assertEquals(0, again.stats().reusedTokens());
        }
    }
}
