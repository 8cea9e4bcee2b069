package io.github.kvern;

import io.github.kvern.engine.run.GenerateJob;
import io.github.kvern.engine.run.Scheduler;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One answer. It is read once, in one of these ways: the loop over its tokens, [#onToken], [#text()], [#future()] or
/// [#publisher()]; a second reader is refused with an [IllegalStateException]. It runs ahead of its reader by at most 16 tokens, and
/// then waits without holding up anybody else.
///
/// When computing fails, the reader gets the exception after the tokens that were made before.
public final class Generation implements Iterable<Token>, AutoCloseable {
    private final Scheduler scheduler;
    private final GenerateJob job;
    private final AtomicBoolean read = new AtomicBoolean();

    Generation(Scheduler scheduler, GenerateJob job) {
        this.scheduler = scheduler;
        this.job = job;
    }

    /// The tokens as they come. An interrupt of the reading thread cancels; the loop then ends without an exception, and the thread
    /// stays interrupted.
    @Override
    public Iterator<Token> iterator() {
        if (!read.compareAndSet(false, true)) throw new IllegalStateException("this generation has a reader already");
        return new Tokens();
    }

    private final class Tokens implements Iterator<Token> {
        private @Nullable Token next;
        private boolean ended;

        @Override
        public boolean hasNext() {
            if (next != null) return true;
            if (ended) return false;
            try {
                next = job.outbox().take();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                cancel();
            }
            ended = next == null;
            return !ended;
        }

        @Override
        public Token next() {
            if (!hasNext()) throw new NoSuchElementException("the generation has ended");
            Token token = next;
            next = null;
            if (token == null) throw new NoSuchElementException("the generation has ended");
            return token;
        }
    }

    /// Reads to the end and hands every token over, on the calling thread.
    ///
    /// @return this
    public Generation onToken(Consumer<Token> consumer) {
        for (Token token : this) consumer.accept(token);
        return this;
    }

    /// Reads to the end.
    ///
    /// @return the whole text
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Token token : this) text.append(token.text());
        return text.toString();
    }

    /// Reads to the end on a virtual thread of its own.
    ///
    /// @return the whole text, later; cancelling the future cancels the answer
    public CompletableFuture<String> future() {
        Iterator<Token> tokens = iterator();
        CompletableFuture<String> future = new CompletableFuture<>();
        future.whenComplete((text, failure) -> {
            if (future.isCancelled()) cancel();
        });
        Thread.ofVirtual().name("kvern-future").start(() -> {
            StringBuilder text = new StringBuilder();
            try {
                while (tokens.hasNext()) text.append(tokens.next().text());
                future.complete(text.toString());
            } catch (RuntimeException e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    /// The tokens for one subscriber, on a virtual thread of its own, as many as it requests. Cancelling the subscription cancels the
    /// answer.
    public Flow.Publisher<Token> publisher() {
        return subscriber -> new TokenSubscription(this, subscriber).start();
    }

    /// Ends the answer early, from any thread: also while the prompt is being read, within one layer. The loop ends without an
    /// exception, at most 16 tokens later. Does nothing when the answer has ended.
    public void cancel() {
        scheduler.cancel(job, StopReason.CANCELLED);
    }

    /// Ends it for a reason and waits until nothing of it runs. A failure belongs to the reader.
    void end(StopReason why) {
        scheduler.cancel(job, why);
        job.join();
    }

    boolean isDone() {
        return job.isDone();
    }

    /// Why it ended; waits for the end. (An answer whose reader is behind does not end.)
    ///
    /// @throws io.github.kvern.gguf.KvernException what made it fail
    public StopReason stopReason() {
        return job.await();
    }

    /// What it cost so far; at any time.
    public Stats stats() {
        return job.stats();
    }

    /// Cancels if it still runs, and waits until the generator is free again.
    @Override
    public void close() {
        end(StopReason.CANCELLED);
    }
}
