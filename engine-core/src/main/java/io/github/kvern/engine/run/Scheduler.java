package io.github.kvern.engine.run;

import io.github.kvern.StopReason;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Pass;
import io.github.kvern.engine.layer.Step;
import io.github.kvern.gguf.KvernException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The driver of a model: one thread that merges what all callers want into steps, runs them, and hands out what came of them.
/// Answers come first, a row each; prompts share what is left of the micro-batch in turn.
public final class Scheduler implements AutoCloseable {
    /// Rows whose logits are computed at once: bounds the buffer, 200,000 tokens wide each.
    private static final int LOGIT_ROWS = 32;

    private final Decoder decoder;
    private final Pass pass;
    private final int microBatch;
    private final Thread driver;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final List<Job> jobs = new ArrayList<>();
    private final List<Job> inStep = new ArrayList<>();
    private final Step step = new Step();
    private float[] logits = new float[0];
    private boolean closing;

    /// Starts the driver.
    ///
    /// @param microBatch the most rows of a step
    public Scheduler(Decoder decoder, Pass pass, int microBatch, String name) {
        this.decoder = decoder;
        this.pass = pass;
        this.microBatch = microBatch;
        this.driver = Thread.ofPlatform().daemon().name("kvern-driver-" + name).start(this::drive);
    }

    /// Takes a job on.
    ///
    /// @throws IllegalStateException the model is closed
    public void submit(Job job) {
        lock.lock();
        try {
            if (closing) throw new IllegalStateException("the model is closed");
            jobs.add(job);
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Something may be ready that was not.
    public void wake() {
        lock.lock();
        try {
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Asks for the end of a job. A step that nobody waits for any more ends between two layers.
    public void cancel(Job job, StopReason why) {
        job.requestEnd(why);
        lock.lock();
        try {
            abandonIfUnwanted();
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    private void abandonIfUnwanted() {
        for (int i = 0; i < inStep.size(); i++) if (inStep.get(i).requestedEnd() == null) return;
        if (!inStep.isEmpty()) step.abandon();
    }

    /// Ends everything and waits for the driver.
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            for (Job job : jobs) job.requestEnd(StopReason.CLOSED);
            abandonIfUnwanted();
            work.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (driver.isAlive()) {
            try {
                driver.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    private void drive() {
        while (gather()) {
            try {
                runStep();
            } catch (RuntimeException | Error e) {
                fail(inStep, e);
            }
        }
    }

    /// Waits for work and fills the step.
    ///
    /// @return false when the model closes
    private boolean gather() {
        lock.lock();
        try {
            while (true) {
                inStep.clear();
                step.clear();
                for (int i = jobs.size() - 1; i >= 0; i--) {
                    Job job = jobs.get(i);
                    StopReason why = job.requestedEnd();
                    if (why != null) job.finish(why, null);
                    if (job.isDone()) jobs.remove(i);
                }
                if (closing) return false;
                fill();
                if (!inStep.isEmpty()) return true;
                if (jobs.stream().noneMatch(Job::isDone)) work.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private void fill() {
        for (int i = 0; i < jobs.size() && step.count() < microBatch; i++) if (jobs.get(i).ready() && jobs.get(i).pending() == 1) take(jobs.get(i), 1);
        for (int i = 0; i < jobs.size() && step.count() < microBatch; i++) {
            Job job = jobs.get(i);
            if (job.ready() && job.pending() > 1) take(job, Math.min(job.pending(), microBatch - step.count()));
        }
        if (jobs.size() > 1) Collections.rotate(jobs, -1); // somebody else is first the next time
    }

    private void take(Job job, int rows) {
        try {
            job.contribute(step, rows);
            inStep.add(job);
        } catch (KvernException e) {
            job.finish(StopReason.CANCELLED, e);
        }
    }

    private void runStep() {
        if (!decoder.forward(pass, step)) return;
        for (int i = 0; i < inStep.size(); i++) inStep.get(i).advance(inStep.get(i).rows());
        int vocabulary = decoder.vocabulary(), wanted = step.wantedCount(), index = 0, from = 0, to = 0;
        for (int i = 0; i < inStep.size(); i++) {
            Job job = inStep.get(i);
            for (int w = 0; w < job.wanted(); w++, index++) {
                if (index == to) {
                    from = to;
                    to = Math.min(wanted, from + LOGIT_ROWS);
                    if (logits.length < (to - from) * vocabulary) logits = new float[(to - from) * vocabulary];
                    decoder.logits(pass, from, to - from, logits);
                }
                if (job.requestedEnd() == null && !job.isDone()) hand(job, (index - from) * vocabulary);
            }
            if (!job.isDone()) job.settle();
        }
    }

    private void hand(Job job, int at) {
        try {
            job.logits(logits, at);
        } catch (KvernException e) {
            job.finish(StopReason.CANCELLED, e);
        }
    }

    private static void fail(List<Job> jobs, Throwable e) {
        RuntimeException failure = e instanceof RuntimeException r ? r : new KvernException("the step failed: " + e, e);
        for (Job job : jobs) job.finish(StopReason.CANCELLED, failure);
    }
}
