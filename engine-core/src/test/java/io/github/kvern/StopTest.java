package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Where an answer ends, and that its text is whole.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StopTest {
    private static final int N = 24;

    private static Model model;
    private static Generator generator;
    private static List<Token> tokens;
    private static String text;

    @BeforeAll
    static void load() {
        model = Shipped.load(Shipped.exact());
        generator = model.generator();
        tokens = Shipped.tokens(start(Shipped.GREEDY.maxTokens(N)));
        text = Shipped.text(tokens);
    }

    @AfterAll
    static void close() {
        generator.close();
        model.close();
    }

    private static Generation start(Sampling sampling) {
        return generator.generate(Prompt.text(Shipped.PROMPT), sampling);
    }

    private static void assertEnds(String expected, StopReason reason, int maxTokens, String... stops) {
        Generation g = start(Shipped.GREEDY.maxTokens(maxTokens).stop(stops));
        List<Token> found = Shipped.tokens(g);
        String why = Arrays.toString(stops) + " in " + text;
        assertEquals(expected, Shipped.text(found), why);
        assertEquals(reason, g.stopReason(), why);
        assertEquals(found.size(), g.stats().generatedTokens(), why);
        assertArrayEquals(Arrays.copyOf(Shipped.ids(tokens), found.size()), Shipped.ids(found), why);
    }

    @Test
    void anyPieceOfTheTextStopsItAcrossTheBordersOfTokens() {
        long seed = 20_260_101;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 30; i++) {
            int from = random.nextInt(text.length() - 1), to = Math.min(text.length(), from + 1 + random.nextInt(20));
            String stop = text.substring(from, to);
            assertEnds(text.substring(0, text.indexOf(stop)), StopReason.STOP_STRING, N, stop);
        }
    }

    @Test
    void nothingIsLostOfWhatMightHaveBecomeAStopString() {
        assertEnds(text, StopReason.MAX_TOKENS, N, text + "!");
        assertEnds(text, StopReason.MAX_TOKENS, N, text.substring(1) + "!", text.substring(7) + "?", "\u0000");
        assertEnds(text, StopReason.MAX_TOKENS, N, text.substring(text.length() - 1) + "\u0000");
    }

    /// The shorter string is there, but while the longer one may still come, which begins before it, nothing can be said.
    @Test
    void aStopStringThatIsKnownOnlyAtTheEnd() {
        String inner = text.substring(3, 6);
        assertEnds(text.substring(0, 3), StopReason.STOP_STRING, N, inner, text + "\u0000");
        assertEnds(text.substring(0, 3), StopReason.STOP_STRING, 5, inner, text + "\u0000");
    }

    @Test
    void theWholeContextHeldBack() {
        try (Generator small = model.generator(GeneratorOptions.context(40))) {
            Sampling endless = Shipped.GREEDY.maxTokens(-1).ignoreEndOfText(true);
            List<Token> all = Shipped.tokens(small.generate(Prompt.text(Shipped.PROMPT), endless));
            String whole = Shipped.text(all);
            Generation g = small.generate(Prompt.text(Shipped.PROMPT), endless.stop(whole + "\u0000"));
            List<Token> found = Shipped.tokens(g);
            assertEquals(whole, Shipped.text(found));
            assertArrayEquals(Shipped.ids(all), Shipped.ids(found));
            assertEquals(StopReason.CONTEXT_FULL, g.stopReason());
            assertEquals("", found.getFirst().text());
            Generation cancelled = small.generate(Prompt.text(Shipped.PROMPT), endless.stop(whole + "\u0000"));
            Iterator<Token> tokens = cancelled.iterator();
            StringBuilder read = new StringBuilder();
            for (int i = 0; i < 4; i++) read.append(tokens.next().text());
            assertEquals("", read.toString());
            cancelled.cancel();
            int n = 4;
            for (; tokens.hasNext(); n++) read.append(tokens.next().text());
            assertEquals(Shipped.text(all.subList(0, n)), read.toString(), "what was held back comes out");
            assertTrue(n <= 4 + 16, n + " tokens");
        }
    }

    @Test
    void theEndOfTheTextIsNoToken() {
        int end = model.tokenizer().endOfGeneration()[0];
        Generation g = start(Shipped.GREEDY.logitBias(end, 1000));
        assertEquals(List.of(), Shipped.tokens(g));
        assertEquals(StopReason.END_OF_TEXT, g.stopReason());
        assertEquals(0, g.stats().generatedTokens());
        Generation ignored = start(Shipped.GREEDY.logitBias(end, 1000).ignoreEndOfText(true).maxTokens(3));
        assertEquals(3, Shipped.tokens(ignored).size());
        assertTrue(Arrays.stream(Shipped.ids(tokens)).noneMatch(model.tokenizer()::isEndOfGeneration));
    }

    @Test
    void halfACharacterAtTheEnd() {
        int half = model.tokenizer().encode("\uD83D\uDE00")[0];
        assertEquals("\uFFFD", model.tokenizer().decode(half), "the first token of this character is only a part of it");
        Generation g = start(Shipped.GREEDY.logitBias(half, 1000).maxTokens(3));
        List<Token> found = Shipped.tokens(g);
        assertArrayEquals(new int[] {half, half, half}, Shipped.ids(found));
        assertEquals("\uFFFD\uFFFD\uFFFD", Shipped.text(found));
        assertEquals(StopReason.MAX_TOKENS, g.stopReason());
        Generation stopped = start(Shipped.GREEDY.logitBias(half, 1000).maxTokens(3).stop("\uFFFD\uFFFD\uFFFD"));
        assertEquals("", stopped.text(), "what finishes the stop string comes only at the end");
        assertEquals(StopReason.STOP_STRING, stopped.stopReason());
    }
}
