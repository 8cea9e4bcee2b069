package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a conversation keeps from one answer to the next is as good as new, bit for bit.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReuseTest {
    private static final Sampling SHORT = Shipped.GREEDY.maxTokens(6).ignoreEndOfText(true).logProbabilities(true);

    private static Path scout() {
        return TestData.folder().resolve("fixtures/models/llama4-scout-Q4_K_M.gguf"); // pages of past chunks go back to the pool
    }

    @Test
    void theConversationGoesOn() {
        try (Model model = Shipped.load(Shipped.exact()); Generator generator = model.generator()) {
            int[] prompt = Shipped.prompt(model, 20);
            Generation first = generator.generate(Prompt.tokens(prompt), SHORT);
            int[] answer = Shipped.ids(Shipped.tokens(first));
            int[] longer = Arrays.copyOf(prompt, 30);
            System.arraycopy(answer, 0, longer, 20, 6);
            for (int i = 26; i < 30; i++) longer[i] = prompt[i - 26];
            Generation second = generator.generate(Prompt.tokens(longer), SHORT);
            assertEquals(Shipped.fresh(model, Prompt.tokens(longer), SHORT), Shipped.tokens(second));
            assertEquals(25, second.stats().reusedTokens(), "all but the last token of the answer, which was never computed");
            assertEquals(5, second.stats().readTokens());
            Generation again = generator.generate(Prompt.tokens(longer), SHORT);
            assertEquals(Shipped.fresh(model, Prompt.tokens(longer), SHORT), Shipped.tokens(again));
            assertEquals(29, again.stats().reusedTokens());
            Generation other = generator.generate(Prompt.tokens(longer[1]), SHORT);
            assertEquals(Shipped.fresh(model, Prompt.tokens(longer[1]), SHORT), Shipped.tokens(other));
            assertEquals(0, other.stats().reusedTokens());
        }
    }

    @Test
    void whatWasCancelledIsReused() throws InterruptedException {
        try (Model model = Shipped.load(Shipped.exact().microBatch(16)); Generator generator = model.generator()) {
            int[] prompt = Shipped.prompt(model, 400);
            Generation cancelled = generator.generate(Prompt.tokens(prompt), SHORT);
            while (cancelled.stats().readTokens() < 64) Thread.sleep(1);
            cancelled.close();
            assertEquals(StopReason.CANCELLED, cancelled.stopReason());
            Generation next = generator.generate(Prompt.tokens(prompt), SHORT);
            assertEquals(Shipped.fresh(model, Prompt.tokens(prompt), SHORT), Shipped.tokens(next));
            assertTrue(next.stats().reusedTokens() >= 64, next.stats().toString());
            assertEquals(prompt.length, next.stats().reusedTokens() + next.stats().readTokens());
        }
    }

    /// Random texts that share beginnings of random lengths, across the borders of pages and chunks.
    @Test
    void anyBeginning() throws IOException {
        long seed = 42;
        SplittableRandom random = new SplittableRandom(seed);
        for (Path path : List.of(Shipped.path(), scout())) {
            try (Model model = Model.load(path, Shipped.exact()); Generator generator = model.generator(GeneratorOptions.context(400))) {
                int[] text = random.ints(380, 0, Math.min(1000, model.info().vocabulary())).toArray();
                List<String> wrong = new ArrayList<>();
                for (int i = 0; i < 12; i++) {
                    int same = random.nextInt(text.length);
                    text = Arrays.copyOf(text, 380);
                    for (int j = same; j < text.length; j++) text[j] = random.nextInt(Math.min(1000, model.info().vocabulary()));
                    Prompt prompt = Prompt.tokens(Arrays.copyOf(text, same + 1 + random.nextInt(text.length - same)));
                    Generation g = generator.generate(prompt, SHORT);
                    List<Token> found = Shipped.tokens(g), expected = Shipped.fresh(model, prompt, SHORT);
                    if (!expected.equals(found))
                        wrong.add("turn " + i + ", " + same + " the same, " + g.stats().reusedTokens() + " reused");
                }
                assertEquals(List.of(), wrong, path + ", seed " + seed);
            }
        }
    }
}
