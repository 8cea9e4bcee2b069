package io.github.kvern;

import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/// One answer. It is read once, in one of these ways: the loop over its tokens, [#onToken], [#text()], [#future()] or
/// [#publisher()]. It runs ahead of its reader by at most 16 tokens.
public final class Generation implements Iterable<Token>, AutoCloseable {
    private Generation() {
    }

    /// The tokens as they come. An interrupt of the reading thread cancels; the loop then ends without an exception (the thread stays
    /// interrupted).
    @Override
    public Iterator<Token> iterator() {
        throw new UnsupportedOperationException();
    }

    /// Reads to the end and hands every token over, on the calling thread.
    public Generation onToken(Consumer<Token> consumer) {
        for (Token token : this) consumer.accept(token);
        return this;
    }

    /// Reads to the end: the whole text.
    public String text() {
        throw new UnsupportedOperationException();
    }

    /// The whole text, later. Cancelling the future cancels the answer.
    public CompletableFuture<String> future() {
        throw new UnsupportedOperationException();
    }

    /// The tokens for one subscriber.
    public Flow.Publisher<Token> publisher() {
        throw new UnsupportedOperationException();
    }

    /// Ends the answer early, from any thread. The loop ends without an exception, at most 16 tokens later.
    public void cancel() {
    }

    /// Why it ended; waits for the end.
    public StopReason stopReason() {
        throw new UnsupportedOperationException();
    }

    /// What it cost so far; at any time.
    public Stats stats() {
        throw new UnsupportedOperationException();
    }

    /// Cancels if it still runs, and waits until the generator is free again.
    @Override
    public void close() {
    }
}
