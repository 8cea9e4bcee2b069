package io.github.kvern;

import java.util.Iterator;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Hands a generation's tokens to a reactive subscriber, no faster than it asks for them.
final class TokenSubscription implements Flow.Subscription {
    private final Generation generation;
    private final Flow.Subscriber<? super Token> subscriber;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long demand;
    private boolean cancelled;
    private @Nullable Throwable misuse;

    TokenSubscription(Generation generation, Flow.Subscriber<? super Token> subscriber) {
        this.generation = generation;
        this.subscriber = subscriber;
    }

    void start() {
        Iterator<Token> tokens;
        try {
            tokens = generation.iterator();
        } catch (IllegalStateException e) {
            subscriber.onSubscribe(this);
            subscriber.onError(e);
            return;
        }
        Thread.ofVirtual().name("kvern-publisher").start(() -> run(tokens));
    }

    private void run(Iterator<Token> tokens) {
        try {
            subscriber.onSubscribe(this);
            while (awaitDemand() && tokens.hasNext()) subscriber.onNext(tokens.next());
            Throwable wrong = finish();
            if (wrong != null) subscriber.onError(wrong);
            else if (!isCancelled()) subscriber.onComplete();
        } catch (RuntimeException e) {
            generation.cancel();
            if (!isCancelled()) subscriber.onError(e);
        }
    }

    /// Waits until the subscriber wants a token.
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

    private @Nullable Throwable finish() {
        lock.lock();
        try {
            if (misuse != null) generation.cancel();
            return misuse;
        } finally {
            lock.unlock();
        }
    }

    private boolean isCancelled() {
        lock.lock();
        try {
            return cancelled;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void request(long n) {
        lock.lock();
        try {
            if (n <= 0) misuse = new IllegalArgumentException("request must ask for 1 token or more, found " + n);
            else demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
            changed.signal();
        } finally {
            lock.unlock();
        }
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
