package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One answer and the ways to read it.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GenerationTest {
    private static final Sampling TEN = Shipped.GREEDY.maxTokens(10);
    private static final Sampling ENDLESS = Shipped.GREEDY.maxTokens(-1).ignoreEndOfText(true);

    private static Model model;

    @BeforeAll
    static void load() {
        model = Shipped.load(Shipped.exact());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Generation start(Generator generator, Sampling sampling) {
        return generator.generate(Prompt.text(Shipped.PROMPT), sampling);
    }

    @Test
    void everyWayOfReadingGivesTheSame() {
        try (Generator generator = model.generator()) {
            List<Token> tokens = Shipped.tokens(start(generator, TEN));
            String text = Shipped.text(tokens);
            assertEquals(10, tokens.size());
            assertTrue(text.startsWith(" there lived a king"), text);
            assertEquals(text, start(generator, TEN).text());
            List<Token> pushed = new ArrayList<>();
            Generation g = start(generator, TEN);
            assertSame(g, g.onToken(pushed::add));
            assertEquals(tokens, pushed);
            assertEquals(text, start(generator, TEN).future().join());
            Tokens subscriber = new Tokens(Long.MAX_VALUE);
            start(generator, TEN).publisher().subscribe(subscriber);
            assertEquals("complete", subscriber.end());
            assertEquals(tokens, subscriber.tokens());
            assertEquals(text, model.tokenizer().decode(Shipped.ids(tokens)).replaceFirst("^(?! )", " "));
        }
    }

    @Test
    void aSecondReaderIsRefused() {
        try (Generator generator = model.generator(); Generation g = start(generator, TEN)) {
            Iterator<Token> first = g.iterator();
            assertThrows(IllegalStateException.class, g::iterator);
            assertThrows(IllegalStateException.class, g::text);
            assertThrows(IllegalStateException.class, g::future);
            assertThrows(IllegalStateException.class, () -> g.onToken(t -> {
            }));
            Tokens second = new Tokens(1);
            g.publisher().subscribe(second);
            assertInstance(IllegalStateException.class, second.failure());
            second.cancel(); // must not end the answer of the first
            int n = 0;
            for (; first.hasNext(); n++) first.next();
            assertEquals(10, n);
            assertThrows(NoSuchElementException.class, first::next);
            assertEquals(StopReason.MAX_TOKENS, g.stopReason());
        }
    }

    private static void assertInstance(Class<?> type, Object found) {
        assertTrue(type.isInstance(found), () -> "expected " + type + ", found " + found);
    }

    @Test
    void whoHasReadEverythingMayAskAgainAtOnce() {
        try (Generator generator = model.generator()) {
            for (int i = 0; i < 100; i++) {
                Generation g = start(generator, Shipped.GREEDY.maxTokens(1));
                assertEquals(1, Shipped.tokens(g).size());
                assertEquals(StopReason.MAX_TOKENS, g.stopReason());
            }
        }
    }

    @Test
    void aSecondAnswerWhileOneRunsIsRefused() {
        try (Generator generator = model.generator()) {
            Generation g = start(generator, ENDLESS);
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> start(generator, TEN));
            assertTrue(e.getMessage().contains("an answer is running"), e.getMessage());
            g.close();
            assertEquals(StopReason.CANCELLED, g.stopReason());
            assertEquals(10, Shipped.tokens(start(generator, TEN)).size());
        }
    }

    @Test
    void cancelEndsTheLoopAfterAtMostSixteenTokens() throws InterruptedException {
        try (Generator generator = model.generator(); Generation g = start(generator, ENDLESS)) {
            Iterator<Token> tokens = g.iterator();
            for (int i = 0; i < 5; i++) tokens.next();
            while (g.stats().generatedTokens() < 5 + 16) Thread.sleep(1);
            Thread.sleep(20); // it must not go on
            assertEquals(5 + 16, g.stats().generatedTokens());
            g.cancel();
            int after = 0;
            for (; tokens.hasNext(); after++) tokens.next();
            assertEquals(16, after);
            assertEquals(StopReason.CANCELLED, g.stopReason());
        }
    }

    @Test
    void anInterruptCancels() throws InterruptedException {
        try (Generator generator = model.generator(); Generation g = start(generator, ENDLESS)) {
            boolean[] interrupted = new boolean[1];
            Thread reader = Thread.ofVirtual().start(() -> {
                for (Token t : g) if (t.id() == -1) throw new AssertionError();
                interrupted[0] = Thread.currentThread().isInterrupted();
            });
            while (g.stats().generatedTokens() == 0) Thread.sleep(1);
            reader.interrupt();
            reader.join();
            assertTrue(interrupted[0]);
            assertEquals(StopReason.CANCELLED, g.stopReason());
        }
    }

    @Test
    void anInterruptEndsTheWaitingForTheEnd() {
        try (Generator generator = model.generator(); Generation g = start(generator, ENDLESS)) {
            Thread.currentThread().interrupt();
            assertEquals(StopReason.CANCELLED, g.stopReason());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void aConsumerThatThrowsCancels() {
        try (Generator generator = model.generator(); Generation g = start(generator, ENDLESS)) {
            assertEquals("enough", assertThrows(IllegalStateException.class, () -> g.onToken(t -> {
                throw new IllegalStateException("enough");
            })).getMessage());
            assertEquals(StopReason.CANCELLED, g.stopReason());
        }
    }

    @Test
    void cancellingTheFutureCancels() throws Exception {
        try (Generator generator = model.generator()) {
            Generation g = start(generator, ENDLESS);
            CompletableFuture<String> future = g.future();
            assertTrue(future.cancel(true));
            assertEquals(StopReason.CANCELLED, g.stopReason());
            Generation late = start(generator, ENDLESS);
            assertThrows(Exception.class, () -> late.future().orTimeout(1, TimeUnit.MILLISECONDS).join());
            assertEquals(StopReason.CANCELLED, late.stopReason());
            Generation cut = start(generator, ENDLESS);
            CompletableFuture<String> text = cut.future();
            while (cut.stats().generatedTokens() < 3) Thread.sleep(1);
            cut.cancel();
            assertTrue(text.get().startsWith(" there lived"), "as much as there is");
        }
    }

    @Test
    void numberOfTokens() {
        try (Generator generator = model.generator()) {
            Generation none = start(generator, Shipped.GREEDY.maxTokens(0));
            assertEquals(List.of(), Shipped.tokens(none));
            assertEquals(StopReason.MAX_TOKENS, none.stopReason());
            assertEquals(none.stats().promptTokens(), none.stats().readTokens());
            Generation one = start(generator, Shipped.GREEDY.maxTokens(1));
            assertEquals(1, Shipped.tokens(one).size());
            assertEquals(one.stats().promptTokens() - 1, one.stats().reusedTokens());
        }
        try (Generator generator = model.generator(GeneratorOptions.context(32))) {
            Generation all = start(generator, ENDLESS);
            int[] prompt = model.tokenizer().prompt(Shipped.PROMPT, true, false);
            assertEquals(32 - prompt.length, Shipped.tokens(all).size());
            assertEquals(StopReason.CONTEXT_FULL, all.stopReason());
        }
    }

    @Test
    void promptsAtTheEdgeOfTheContext() {
        int[] ids = Shipped.prompt(model, 65);
        try (Generator generator = model.generator(GeneratorOptions.context(64))) {
            assertEquals(64, generator.context());
            Generation full = generator.generate(Prompt.tokens(java.util.Arrays.copyOf(ids, 64)), ENDLESS);
            assertEquals(List.of(), Shipped.tokens(full));
            assertEquals(StopReason.CONTEXT_FULL, full.stopReason());
            Generation almost = generator.generate(Prompt.tokens(java.util.Arrays.copyOf(ids, 63)), ENDLESS);
            assertEquals(1, Shipped.tokens(almost).size());
            assertEquals(StopReason.CONTEXT_FULL, almost.stopReason());
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> generator.generate(Prompt.tokens(ids), ENDLESS));
            assertTrue(e.getMessage().contains("65 tokens, the context 64"), e.getMessage());
        }
    }

    @Test
    void wrongPrompts() {
        try (Generator generator = model.generator()) {
            assertThrows(IllegalArgumentException.class, () -> generator.generate(Prompt.tokens(), TEN));
            assertThrows(IllegalArgumentException.class, () -> generator.generate(Prompt.text("").begin(false), TEN));
            for (int id : new int[] {-1, 4096, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
                IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                        () -> generator.generate(Prompt.tokens(1, id), TEN));
                assertTrue(e.getMessage().contains("" + id) && e.getMessage().contains("4096"), e.getMessage());
            }
            assertThrows(IllegalArgumentException.class, () -> start(generator, TEN.logitBias(4096, 1f)));
            assertEquals(10, Shipped.tokens(start(generator, TEN)).size(), "what was refused leaves no trace");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 7, Long.MIN_VALUE})
    void aSeedRepeats(long seed) {
        Sampling drawn = Sampling.defaults().temperature(1.5f).topK(0).topP(1).seed(seed).maxTokens(24);
        Generation first, second;
        try (Generator generator = model.generator()) {
            first = start(generator, drawn);
            List<Token> tokens = Shipped.tokens(first);
            second = start(generator, drawn);
            assertEquals(tokens, Shipped.tokens(second));
            assertNotEquals(Shipped.text(tokens), start(generator, drawn.seed(seed + 1)).text());
        }
        assertEquals(seed, first.stats().seed());
    }

    @Test
    void theReportedSeedRepeats() {
        Sampling drawn = Sampling.defaults().temperature(1.5f).maxTokens(24);
        try (Generator generator = model.generator()) {
            Generation first = start(generator, drawn);
            assertEquals(first.text(), start(generator, drawn.seed(first.stats().seed())).text());
        }
    }

    @Test
    void logProbabilities() {
        List<Token> tokens = Shipped.fresh(model, Prompt.text(Shipped.PROMPT), TEN.logProbabilities(true));
        List<Token> without = Shipped.fresh(model, Prompt.text(Shipped.PROMPT), TEN);
        assertArrayEquals(Shipped.ids(without), Shipped.ids(tokens));
        assertTrue(without.stream().allMatch(t -> t.logProbability().isEmpty()));
        int[] prompt = model.tokenizer().prompt(Shipped.PROMPT, true, false);
        int[] all = java.util.Arrays.copyOf(prompt, prompt.length + tokens.size());
        for (int i = 0; i < tokens.size(); i++) all[prompt.length + i] = tokens.get(i).id();
        int[] positions = java.util.stream.IntStream.range(prompt.length - 1, all.length - 1).toArray();
        float[][] logits = model.score(all, positions);
        for (int i = 0; i < tokens.size(); i++) {
            double sum = 0;
            for (float logit : logits[i]) sum += Math.exp(logit);
            assertEquals(logits[i][tokens.get(i).id()] - Math.log(sum), tokens.get(i).logProbability().orElseThrow(), 1e-4, "token " + i);
        }
    }

    @Test
    void stats() {
        try (Generator generator = model.generator()) {
            Generation g = start(generator, TEN);
            Shipped.tokens(g);
            Stats s = g.stats();
            assertEquals(model.tokenizer().prompt(Shipped.PROMPT, true, false).length, s.promptTokens());
            assertEquals(s.promptTokens(), s.readTokens());
            assertEquals(0, s.reusedTokens());
            assertEquals(10, s.generatedTokens());
            assertEquals(model.info().loadNanos(), s.loadNanos());
            assertTrue(s.firstTokenNanos() >= s.promptNanos() && s.promptNanos() > 0, s.toString());
            assertTrue(s.promptTokensPerSecond() > 0 && s.tokensPerSecond() > 0, s.toString());
            assertFalse(s.generationNanos() == 0);
        }
    }
}
