package io.github.kvern;

import java.util.Iterator;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands a generation's tokens to a reactive subscriber, no faster than it asks for them.
final class TokenSubscription implements Flow.Subscription {
    private static final Logger LOG = LoggerFactory.getLogger(TokenSubscription.class);

    private final Generation generation;
    private final Iterator<Token> tokens;
    private final Flow.Subscriber<? super Token> subscriber;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long demand;
    private boolean cancelled;
    private @Nullable IllegalArgumentException misuse;

    /// @param tokens the generation's
    TokenSubscription(Generation generation, Iterator<Token> tokens, Flow.Subscriber<? super Token> subscriber) {
        this.generation = generation;
        this.tokens = tokens;
        this.subscriber = subscriber;
    }

    void start() {
        Thread.ofVirtual().name("kvern-publisher").start(this::run);
    }

    /// Tells a subscriber that somebody else reads. Its subscription does nothing: it must not end the other's answer.
    static void refuse(Flow.Subscriber<? super Token> subscriber) {
        subscriber.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {
                // there is nothing to hand out
            }

            @Override
            public void cancel() {
                // there is nothing to end
            }
        });
        subscriber.onError(new IllegalStateException("this generation has a reader already"));
    }

    private void run() {
        try {
            subscriber.onSubscribe(this);
            while (true) {
                boolean more;
                try {
                    more = tokens.hasNext(); // first, because the end is told without being requested
                } catch (RuntimeException failure) {
                    if (isOpen()) subscriber.onError(failure);
                    return;
                }
                if (!more || !awaitDemand()) break;
                subscriber.onNext(tokens.next());
            }
            end();
        } catch (Throwable e) { // a subscriber must not throw; there is nobody to tell
            cancel();
            LOG.warn("a subscriber threw, its answer is cancelled", e);
        }
    }

    private void end() {
        IllegalArgumentException wrong;
        lock.lock();
        try {
            if (cancelled) return;
            wrong = misuse;
        } finally {
            lock.unlock();
        }
        if (wrong == null) subscriber.onComplete();
        else subscriber.onError(wrong);
    }

    /// Waits until the subscriber wants a token.
    ///
    /// @return false when it wants no more
    private boolean awaitDemand() {
        lock.lock();
        try {
            while (demand == 0 && !cancelled && misuse == null) changed.awaitUninterruptibly();
            if (cancelled || misuse != null) return false;
            if (demand != Long.MAX_VALUE) demand--;
            return true;
        } finally {
            lock.unlock();
        }
    }

    private boolean isOpen() {
        lock.lock();
        try {
            return !cancelled;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void request(long n) {
        lock.lock();
        try {
            if (n <= 0 && misuse == null) misuse = new IllegalArgumentException("request must ask for 1 token or more, found " + n);
            if (n > 0) demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
            changed.signal();
        } finally {
            lock.unlock();
        }
        if (n <= 0) generation.cancel();
    }

    @Override
    public void cancel() {
        lock.lock();
        try {
            cancelled = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
        generation.cancel();
    }
}
