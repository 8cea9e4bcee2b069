package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Many conversations with one model at once: each as if it were alone, and whatever their callers do.
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ManyGeneratorsTest {
    private static final int GENERATORS = 8;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachAsIfAlone(boolean reproducible) throws InterruptedException {
        ModelOptions options = reproducible ? ModelOptions.defaults().reproducible(true).threads(2) : Shipped.exact();
        try (Model model = Shipped.load(options.microBatch(24))) {
            List<Prompt> prompts = new ArrayList<>();
            List<Sampling> samplings = new ArrayList<>();
            List<List<Token>> alone = new ArrayList<>();
            for (int i = 0; i < GENERATORS; i++) {
                prompts.add(Prompt.tokens(Shipped.prompt(model, 5 + 11 * i)));
                samplings.add((i % 2 == 0 ? Shipped.GREEDY : Sampling.defaults().seed(i)).maxTokens(20).logProbabilities(true));
                alone.add(Shipped.fresh(model, prompts.get(i), samplings.get(i)));
            }
            Queue<String> wrong = new ConcurrentLinkedQueue<>();
            CountDownLatch together = new CountDownLatch(GENERATORS);
            List<Thread> threads = IntStream.range(0, GENERATORS).mapToObj(i -> Thread.ofVirtual().start(() -> {
                together.countDown();
                try (Generator generator = model.generator()) {
                    together.await();
                    for (int turn = 0; turn < 2; turn++) {
                        List<Token> found = Shipped.tokens(generator.generate(prompts.get(i), samplings.get(i)));
                        if (!alone.get(i).equals(found))
                            wrong.add("conversation " + i + ", turn " + turn + ": " + Shipped.text(found) + ", alone "
                                    + Shipped.text(alone.get(i)));
                    }
                } catch (Throwable e) {
                    wrong.add("conversation " + i + ": " + e);
                }
            })).toList();
            for (Thread t : threads) t.join();
            assertEquals("", String.join("\n", wrong));
            assertEquals(0, model.cacheBytesInUse());
        }
    }

    /// A thousand cancels, closes and interrupts at random moments.
    @Test
    void whateverCallersDo() throws IOException, InterruptedException {
        long seed = Long.getLong("kvern.test.seed", 20_261_121); // another one for a longer search
        SplittableRandom random = new SplittableRandom(seed);
        Path model = Files.copy(TestData.folder().resolve("fixtures/models/llama-tied-Q4_K_M.gguf"),
                folder.resolve("model-in-disorder.gguf"));
        AtomicInteger disturbances = new AtomicInteger();
        Queue<String> wrong = new ConcurrentLinkedQueue<>();
        for (int round = 0; round < 30; round++) {
            ModelOptions options = Shipped.exact().threads(1 + random.nextInt(3)).microBatch(1 + random.nextInt(40));
            if (random.nextInt(3) == 0) options = options.cacheBytes(600_000);
            Disorder disorder = new Disorder(Model.load(model, options), random.split(), disturbances, wrong);
            disorder.run(6, 10);
            String where = "seed " + seed + ", round " + round;
            assertEquals("", String.join("\n", wrong), where);
            assertEquals(0, disorder.model.cacheBytesInUse(), where);
            disorder.model.close();
            Threads.assertNoneLeft();
            Path maps = Path.of("/proc/self/maps");
            if (Files.exists(maps)) assertFalse(Files.readString(maps).contains("model-in-disorder"), where);
        }
        assertTrue(disturbances.get() >= 1000, disturbances + " disturbances");
    }

    /// Callers of one model that end things in every way, at random.
    private record Disorder(Model model, SplittableRandom random, AtomicInteger disturbances, Queue<String> wrong) {
        void run(int callers, int turns) throws InterruptedException {
            int closing = random.nextInt(2) == 0 ? random.nextInt(callers * turns) : -1;
            AtomicInteger turn = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                SplittableRandom own = random.split();
                threads.add(Thread.ofVirtual().start(() -> {
                    for (int j = 0; j < turns; j++) {
                        if (turn.getAndIncrement() == closing) {
                            disturbances.incrementAndGet();
                            model.close();
                        }
                        try {
                            turn(own);
                        } catch (IllegalStateException e) {
                            if (!e.getMessage().contains("closed")) wrong.add(e.toString());
                        } catch (MemoryBudgetException e) {
                            continue; // one of the things that may happen
                        } catch (Throwable e) {
                            wrong.add(e.toString());
                        }
                    }
                }));
            }
            for (Thread t : threads) t.join();
        }

        private void turn(SplittableRandom own) {
            try (Generator generator = model.generator(GeneratorOptions.context(256))) {
                Generation last = null;
                for (int answers = 1 + own.nextInt(2); answers > 0; answers--) {
                    int[] prompt = own.ints(1 + own.nextInt(200), 0, 200).toArray();
                    last = generator.generate(Prompt.tokens(prompt), Shipped.GREEDY.maxTokens(own.nextInt(60) - 1).stop("e", "th"));
                    disturb(own, generator, last);
                    last.cancel();
                }
                if (last != null && last.stopReason() == null) wrong.add("no reason");
            }
        }

        private void disturb(SplittableRandom own, Generator generator, Generation answer) {
            int tokens = own.nextInt(8), way = own.nextInt(9);
            long nanos = own.nextLong(2_000_000);
            if (way < 8) disturbances.incrementAndGet();
            switch (way) {
                case 0 -> read(answer, tokens).cancel();
                case 1 -> later(nanos, answer::cancel, () -> read(answer, 99));
                case 2 -> read(answer, tokens).close();
                case 3 -> later(nanos, generator::close, () -> read(answer, 99));
                case 4 -> {
                    Thread self = Thread.currentThread();
                    later(nanos, self::interrupt, () -> read(answer, 99));
                }
                case 5 -> {
                    var future = answer.future();
                    later(nanos, () -> future.cancel(true), answer::stopReason);
                }
                case 6 -> {
                    Tokens subscriber = new Tokens(1 + tokens);
                    answer.publisher().subscribe(subscriber);
                    later(nanos, () -> subscriber.cancelWhenSubscribed(), answer::stopReason);
                }
                case 7 -> later(nanos, () -> {
                    answer.cancel();
                    generator.close();
                }, answer::stopReason);
                default -> read(answer, 99);
            }
        }

        /// Does something while somebody else does something else, and waits for both.
        private static void later(long nanos, Runnable other, Runnable own) {
            Thread t = Thread.ofVirtual().start(() -> {
                for (long end = System.nanoTime() + nanos; System.nanoTime() < end;) Thread.yield();
                other.run();
            });
            try {
                own.run();
            } finally {
                for (boolean joined = false; !joined;) {
                    try {
                        t.join();
                        joined = true;
                    } catch (InterruptedException e) {
                        continue; // the other's, late
                    }
                }
                Thread.interrupted();
            }
        }

        private Generation read(Generation answer, int most) {
            Iterator<Token> tokens = answer.iterator();
            for (int i = 0; i < most && tokens.hasNext(); i++) tokens.next();
            return answer;
        }
    }
}
