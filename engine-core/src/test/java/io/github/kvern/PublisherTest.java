package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Flow;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The reactive view: demand, the end, failures, misuse.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PublisherTest {
    private static Model model;

    @BeforeAll
    static void load() {
        model = Shipped.load(Shipped.exact());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Generation start(Generator generator, int tokens) {
        return generator.generate(Prompt.text(Shipped.PROMPT), Shipped.GREEDY.maxTokens(tokens).ignoreEndOfText(true));
    }

    @Test
    void noMoreThanRequested() throws InterruptedException {
        try (Generator generator = model.generator()) {
            Generation g = start(generator, -1);
            Tokens slow = new Tokens(0);
            g.publisher().subscribe(slow);
            while (g.stats().generatedTokens() < 16) Thread.sleep(1);
            assertEquals(0, slow.tokens().size());
            int requested = 0;
            for (int n : new int[] {1, 3, 20}) {
                slow.request(n);
                slow.await(requested += n);
                Thread.sleep(10);
                assertEquals(requested, slow.tokens().size());
            }
            assertTrue(slow.isOpen());
            slow.cancel();
            assertEquals(StopReason.CANCELLED, g.stopReason());
            Thread.sleep(10);
            assertTrue(slow.isOpen(), "no signal after cancel");
        }
    }

    @Test
    void theEndIsToldWithoutBeingRequested() {
        try (Generator generator = model.generator()) {
            Tokens exact = new Tokens(5);
            start(generator, 5).publisher().subscribe(exact);
            assertEquals("complete", exact.end());
            assertEquals(5, exact.tokens().size());
            Tokens none = new Tokens(0);
            start(generator, 0).publisher().subscribe(none);
            assertEquals("complete", none.end());
        }
    }

    @Test
    void demandAddsUpWithoutOverflow() throws InterruptedException {
        try (Generator generator = model.generator()) {
            Tokens greedy = new Tokens(Long.MAX_VALUE);
            start(generator, 30).publisher().subscribe(greedy);
            greedy.request(Long.MAX_VALUE);
            assertEquals("complete", greedy.end());
            assertEquals(30, greedy.tokens().size());
        }
    }

    @Test
    void aRequestOfNothingIsAnError() throws InterruptedException {
        for (long wrong : new long[] {0, -1, Long.MIN_VALUE}) {
            try (Generator generator = model.generator()) {
                Generation g = start(generator, -1);
                Tokens subscriber = new Tokens(2);
                g.publisher().subscribe(subscriber);
                subscriber.await(2);
                subscriber.request(wrong);
                IllegalArgumentException e = assertInstanceOf(IllegalArgumentException.class, subscriber.failure());
                assertTrue(e.getMessage().contains("" + wrong), e.getMessage());
                assertEquals(StopReason.CANCELLED, g.stopReason());
            }
        }
    }

    @Test
    void noSubscriber() {
        try (Generator generator = model.generator(); Generation g = start(generator, 1)) {
            assertThrows(NullPointerException.class, () -> g.publisher().subscribe(null));
            assertEquals(1, Shipped.tokens(g).size(), "it has no reader yet");
        }
    }

    @Test
    void aSubscriberThatThrowsCancels() {
        try (Generator generator = model.generator()) {
            Generation g = start(generator, -1);
            g.publisher().subscribe(new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    subscription.request(1);
                }

                @Override
                public void onNext(Token token) {
                    throw new IllegalStateException("a subscriber that must not, but does");
                }

                @Override
                public void onError(Throwable e) {
                    throw new AssertionError(e);
                }

                @Override
                public void onComplete() {
                    throw new AssertionError();
                }
            });
            assertEquals(StopReason.CANCELLED, g.stopReason());
        }
    }

    @Test
    void aFailureIsTold() {
        try (Model small = Shipped.load(Shipped.exact().cacheBytes(1_200_000));
                Generator a = small.generator(GeneratorOptions.context(128));
                Generator b = small.generator(GeneratorOptions.context(128))) {
            Tokens first = new Tokens(Long.MAX_VALUE), second = new Tokens(Long.MAX_VALUE);
            start(a, -1).publisher().subscribe(first);
            start(b, -1).publisher().subscribe(second);
            assertEquals(java.util.Set.of("complete", "error"), java.util.Set.of(first.end(), second.end()),
                    "there is room for one and a half");
            Throwable failure = first.end().equals("error") ? first.failure() : second.failure();
            assertInstanceOf(io.github.kvern.gguf.MemoryBudgetException.class, failure);
        }
    }
}
