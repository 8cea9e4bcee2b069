package io.github.kvern;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;

/// A subscriber that notes everything.
final class Tokens implements Flow.Subscriber<Token> {
    private final long first;
    private final List<Token> tokens = new ArrayList<>();
    private final CountDownLatch subscribed = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Flow.Subscription subscription;
    private volatile String end = "";
    private volatile Throwable failure;

    /// @param first what it requests on subscription; 0 for nothing
    Tokens(long first) {
        this.first = first;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        if (this.subscription != null) throw new AssertionError("subscribed twice");
        this.subscription = subscription;
        if (first > 0) subscription.request(first);
        subscribed.countDown();
    }

    @Override
    public synchronized void onNext(Token token) {
        tokens.add(token);
        notifyAll();
    }

    @Override
    public void onError(Throwable e) {
        failure = e;
        finish("error");
    }

    @Override
    public void onComplete() {
        finish("complete");
    }

    private void finish(String how) {
        if (!end.isEmpty()) throw new AssertionError("ended twice: " + end + ", " + how);
        end = how;
        ended.countDown();
    }

    void request(long n) throws InterruptedException {
        subscribed.await();
        subscription.request(n);
    }

    void cancel() {
        subscription.cancel();
    }

    void cancelWhenSubscribed() {
        try {
            subscribed.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        cancel();
    }

    synchronized List<Token> tokens() {
        return List.copyOf(tokens);
    }

    /// Waits until so many tokens have come.
    synchronized void await(int n) throws InterruptedException {
        while (tokens.size() < n) wait();
    }

    String end() {
        try {
            if (!ended.await(60, TimeUnit.SECONDS)) throw new AssertionError("no end");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return end;
    }

    boolean isOpen() {
        return end.isEmpty();
    }

    Throwable failure() {
        end();
        return failure;
    }
}
