package io.github.kvern;

import io.github.kvern.engine.run.GenerateJob;
import io.github.kvern.engine.run.Scheduler;
import io.github.kvern.engine.run.Waiting;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
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
///
/// Everything but the reading itself may be called from any thread at any time.
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
    ///
    /// @return waits for each token; throws what made the answer fail, after its last token
    /// @throws IllegalStateException it has a reader already
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

    /// Reads to the end and hands every token over, on the calling thread. When the consumer throws, the answer is cancelled.
    ///
    /// @param consumer called once for each token, in order
    /// @return this
    /// @throws IllegalStateException it has a reader already
    /// @throws io.github.kvern.gguf.KvernException what made the answer fail, after its last token
    public Generation onToken(Consumer<Token> consumer) {
        Iterator<Token> tokens = iterator();
        boolean whole = false;
        try {
            while (tokens.hasNext()) consumer.accept(tokens.next());
            whole = true;
        } finally {
            if (!whole) cancel();
        }
        return this;
    }

    /// Reads to the end.
    ///
    /// @return the whole text; of an answer that was cancelled or closed, as much as there is
    /// @throws IllegalStateException it has a reader already
    /// @throws io.github.kvern.gguf.KvernException what made the answer fail
    public String text() {
        return text(iterator());
    }

    private static String text(Iterator<Token> tokens) {
        StringBuilder text = new StringBuilder();
        while (tokens.hasNext()) text.append(tokens.next().text());
        return text.toString();
    }

    /// Reads to the end on a virtual thread of its own.
    ///
    /// @return the whole text, later; of an answer that was cancelled or closed, as much as there is. Cancelling the future, or
    ///   completing it in any other way (a timeout), cancels the answer. It completes exceptionally with what made the answer fail.
    /// @throws IllegalStateException it has a reader already
    public CompletableFuture<String> future() {
        Iterator<Token> tokens = iterator();
        CompletableFuture<String> future = new CompletableFuture<>();
        future.whenComplete((text, failure) -> cancel());
        Thread.ofVirtual().name("kvern-future").start(() -> {
            try {
                future.complete(text(tokens));
            } catch (Throwable e) { // who waits must be told
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    /// The tokens for one subscriber, on a virtual thread of its own, as many as it requests; a second subscriber is refused. The end
    /// is told without being requested. Cancelling the subscription cancels the answer, and so does a subscriber that throws.
    ///
    /// @return cold: nothing is read before somebody subscribes. What made the answer fail goes to `onError`, and a second reader's
    ///   [IllegalStateException] too.
    public Flow.Publisher<Token> publisher() {
        return subscriber -> {
            Objects.requireNonNull(subscriber, "subscriber");
            if (read.compareAndSet(false, true)) new TokenSubscription(this, new Tokens(), subscriber).start();
            else TokenSubscription.refuse(subscriber);
        };
    }

    /// Ends the answer early, from any thread: also while the prompt is being read. The loop ends without an exception, at most 16
    /// tokens later; the computing stops within one layer, unless other generators share the step. Does nothing when the answer has
    /// ended.
    public void cancel() {
        scheduler.cancel(job, StopReason.CANCELLED);
    }

    /// Why it ended; waits for the end. An answer whose reader is behind does not end, so who has stopped reading cancels first. An
    /// interrupt of the waiting thread cancels, and the thread stays interrupted.
    ///
    /// @throws io.github.kvern.gguf.KvernException what made it fail
    public StopReason stopReason() {
        return Waiting.out(job::await, this::cancel); // then it is done: the next waiting is none
    }

    /// What it cost so far; at any time, from any thread. Never waits.
    public Stats stats() {
        return job.stats();
    }

    /// Cancels if it still runs. The generator is free for the next answer then. Tokens that were made before can still be read.
    @Override
    public void close() {
        cancel();
    }
}
