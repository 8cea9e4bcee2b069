package io.github.kvern.engine.run;

import io.github.kvern.StopReason;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Pass;
import io.github.kvern.engine.layer.Step;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.kvcache.PagePool;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The driver of a model: one thread that merges what all callers want into steps, runs them, and hands out what came of them.
///
/// Answers come first, a row each; prompts share what is left of the micro-batch in turn. Who was left out of a full step is first
/// in the next.
///
/// Locks are taken in this order: this one, a job's, its outbox's. No step runs, and no caller's code, while any is held.
public final class Scheduler implements AutoCloseable {
    /// Rows whose logits are computed at once, and what bounds them for the widest vocabularies.
    private static final int LOGIT_ROWS = 32;
    private static final long LOGIT_BYTES = 64L << 20;

    private final Decoder decoder;
    private final Pass pass;
    private final int microBatch;
    private final Thread driver;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final List<Conversation> conversations = new ArrayList<>();
    private final List<Job> jobs = new ArrayList<>();
    private final List<Job> inStep = new ArrayList<>();
    private final Step step = new Step();
    private final Recorder recorder;
    private final Runnable stepped;
    private final ExpertTotals experts;
    private float[] logits = new float[0];
    private long releases;
    private boolean promptsWait; // the last step was full before the prompts' turn came
    private boolean mustFinish; // the last step was given up although somebody waited for it
    private boolean givenUp; // this one is
    private boolean closing;

    /// Starts the driver.
    ///
    /// @param microBatch the most rows of a step
    /// @param stepped is run when a step is done, by the driver
    public Scheduler(Decoder decoder, Pass pass, int microBatch, String name, Recorder recorder, Runnable stepped) {
        this.stepped = stepped;
        this.recorder = recorder;
        this.experts = new ExpertTotals(decoder);
        this.decoder = decoder;
        this.pass = pass;
        this.microBatch = microBatch;
        this.driver = Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("kvern-driver-" + name)
                .unstarted(this::drive);
        driver.start();
    }

    Recorder recorder() {
        return recorder;
    }

    /// What experts do.
    public ExpertTotals experts() {
        return experts;
    }

    /// A new conversation.
    public Conversation open(PagePool pool) {
        lock.lock();
        try {
            Conversation conversation = new Conversation(pool.sequence());
            conversations.add(conversation);
            return conversation;
        } finally {
            lock.unlock();
        }
    }

    /// Gives a conversation's pages back. No job may be in it.
    public void close(Conversation conversation) {
        lock.lock();
        try {
            conversations.remove(conversation);
            conversation.sequence().close();
        } finally {
            lock.unlock();
        }
    }

    /// Takes a job on.
    ///
    /// @throws IllegalStateException the model is closed
    public void submit(Job job) {
        lock.lock();
        try {
            if (closing) throw new IllegalStateException("the model is closed");
            if (job instanceof GenerateJob g) g.conversation().begun();
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

    /// Ends a job at once. A step that is mostly for those who have gone ends between two layers.
    public void cancel(Job job, StopReason why) {
        job.end(why, null);
        lock.lock();
        try {
            giveUpStep();
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Gives the step up if nobody waits for it any more, or at least half of its rows are for nobody: computing the others once
    /// more costs less than finishing all of them. Not twice in a row, or callers who come and go would keep others from ever
    /// getting on.
    private void giveUpStep() {
        int wanted = 0, unwanted = 0;
        for (int i = 0; i < inStep.size(); i++) {
            if (inStep.get(i).isDone()) unwanted += inStep.get(i).rows();
            else wanted += inStep.get(i).rows();
        }
        if (unwanted == 0 || wanted > 0 && (mustFinish || unwanted < wanted)) return;
        givenUp |= wanted > 0;
        step.abandon();
    }

    /// Ends everything and waits for the driver.
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            for (Job job : jobs) job.end(StopReason.CLOSED, null);
            giveUpStep();
            work.signal();
        } finally {
            lock.unlock();
        }
        Waiting.forEnd(driver);
    }

    private void drive() {
        try {
            while (true) {
                try {
                    if (!gather()) return;
                    recorder.stepBegins();
                    boolean whole = false;
                    try {
                        whole = runStep();
                    } finally {
                        recorder.stepEnds(step.count(), inStep.size(), whole ? step.wantedCount() : 0, whole);
                        stepped.run();
                    }
                } catch (Throwable e) { // whatever it is: who waits must be told, and the others go on
                    fail(e);
                }
            }
        } finally {
            leave();
        }
    }

    /// Nobody may wait for a driver that is gone.
    private void leave() {
        lock.lock();
        try {
            closing = true;
            for (Job job : jobs) {
                job.end(StopReason.CLOSED, null);
                job.release(++releases);
            }
            jobs.clear();
        } finally {
            lock.unlock();
        }
    }

    /// Waits for work and fills the step.
    ///
    /// @return false when the model closes
    private boolean gather() {
        lock.lock();
        try {
            mustFinish = givenUp;
            givenUp = false;
            while (true) {
                step.clear();
                inStep.clear();
                if (retire()) continue;
                if (closing) return false;
                fill();
                if (!inStep.isEmpty()) return true;
                if (!anyDone()) work.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Lets go of one job that has ended.
    private boolean retire() {
        for (int i = 0; i < jobs.size(); i++) {
            if (!jobs.get(i).isDone()) continue;
            jobs.remove(i).release(++releases);
            return true;
        }
        return false;
    }

    private boolean anyDone() {
        for (int i = 0; i < jobs.size(); i++) if (jobs.get(i).isDone()) return true;
        return false;
    }

    private void fill() {
        for (int i = 0; i < jobs.size(); i++) jobs.get(i).start();
        boolean promptsFirst = promptsWait;
        if (promptsFirst) addPrompts();
        for (int i = 0; i < jobs.size() && step.count() < microBatch; i++) {
            Job job = jobs.get(i);
            if (job.pending() == 1 && job.ready()) take(job, 1);
        }
        promptsWait = false;
        if (!promptsFirst) addPrompts();
        if (jobs.size() > 1) Collections.rotate(jobs, -1); // somebody else is first the next time
    }

    private void addPrompts() {
        for (int i = 0; i < jobs.size(); i++) {
            Job job = jobs.get(i);
            if (job.pending() <= 1 || !job.ready()) continue;
            if (step.count() == microBatch) {
                promptsWait = !stepHasPrompt();
                return;
            }
            take(job, Math.min(job.pending(), microBatch - step.count()));
        }
    }

    private boolean stepHasPrompt() {
        for (int i = 0; i < inStep.size(); i++) if (inStep.get(i).pending() > 1) return true;
        return false;
    }

    private void take(Job job, int rows) {
        int before = step.count();
        while (true) {
            try {
                job.contribute(step, rows);
                inStep.add(job);
                return;
            } catch (MemoryBudgetException e) {
                if (makeRoom()) continue;
                job.end(StopReason.CANCELLED, e);
                job.forget(); // or what it holds would keep others from going on
                return;
            } catch (RuntimeException e) {
                job.end(StopReason.CANCELLED, e);
                if (step.count() != before) throw e;
                return;
            }
        }
    }

    /// Takes the pages of the conversation that has been idle for longest.
    private boolean makeRoom() {
        Conversation oldest = null;
        for (int i = 0; i < conversations.size(); i++) {
            Conversation c = conversations.get(i);
            if (c.isBusy() || c.sequence().length() == 0) continue;
            if (oldest == null || c.lastUse() < oldest.lastUse()) oldest = c;
        }
        if (oldest == null) return false;
        oldest.forget();
        return true;
    }

    /// @return false when it was given up
    private boolean runStep() {
        if (!decoder.forward(pass, step)) return false;
        for (int i = 0; i < inStep.size(); i++) inStep.get(i).advance(inStep.get(i).rows());
        int vocabulary = decoder.vocabulary(), wanted = step.wantedCount(), index = 0, from = 0, to = 0;
        for (int i = 0; i < inStep.size(); i++) {
            Job job = inStep.get(i);
            for (int w = 0; w < job.wanted(); w++, index++) {
                if (index == to) {
                    from = to;
                    to = Math.min(wanted, from + Math.clamp(LOGIT_BYTES / (4L * vocabulary), 1, LOGIT_ROWS));
                    if (logits.length < (to - from) * vocabulary) logits = new float[(to - from) * vocabulary];
                    decoder.logits(pass, from, to - from, logits);
                    pass.requireUnchanged();
                }
                job.deliver(logits, (index - from) * vocabulary);
            }
            job.delivered();
        }
        return true;
    }

    /// A step failed for all who are in it; if there is none yet, for all.
    private void fail(Throwable e) {
        RuntimeException failure = pass.failed(e);
        lock.lock();
        try {
            List<Job> failed = inStep.isEmpty() ? jobs : inStep;
            for (int i = 0; i < failed.size(); i++) failed.get(i).end(StopReason.CANCELLED, failure);
        } finally {
            lock.unlock();
        }
    }
}
