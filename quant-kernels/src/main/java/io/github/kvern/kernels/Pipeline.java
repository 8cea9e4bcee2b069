package io.github.kvern.kernels;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Work of which one piece needs another's results, run with one barrier at the end: an expert's last product begins when its own
/// first ones are done, whatever the other experts are at.
///
/// Jobs stand in a line. A worker takes units of the first job that has units left and whose gate is open; a gate opens when every
/// unit of the jobs that close it is done. Jobs belong behind those that they wait for, and what takes long in front. Reusable, and
/// allocates nothing once it has grown; filled by one driver thread. Who computes a unit has no influence on its result.
public final class Pipeline {
    /// A gate that is always open.
    public static final int OPEN = -1;
    /// Units of less work than this (multiply-adds) are taken several at a time.
    private static final long GRAIN = 200_000;
    /// Looks along the line before a worker that finds nothing open rests, and for how long it does.
    private static final int LOOKS = 2_000;
    private static final long REST_NANOS = 20_000;

    /// Work that can be cut into ranges of units, each computed without looking at the others.
    @FunctionalInterface
    public interface Work {
        /// Computes the units `from` to `to` (exclusive) of a part.
        ///
        /// @param part the number that the job was added with
        void run(int part, int from, int to, WorkerScratch scratch);
    }

    private static final class Job {
        @Nullable Work work;
        @Nullable Prepared prepared;
        int part, units, take, wants, closes;

        void run(int from, int to, WorkerScratch scratch) {
            if (work != null) work.run(part, from, to, scratch);
            else if (prepared != null) prepared.form().prepare(prepared, part + from, part + to, scratch);
        }
    }

    private final RangeTask pull = (from, to, scratch) -> pull(scratch);
    private final AtomicBoolean failed = new AtomicBoolean();
    private Job[] jobs = {};
    private int size;
    private long cost;
    private AtomicIntegerArray taken = new AtomicIntegerArray(16); // units of each job
    private AtomicIntegerArray closed = new AtomicIntegerArray(16); // for each gate, units that are not done
    private int gates;
    private Prepared[] forms = new Prepared[4]; // what this run makes
    private int formCount;

    /// Nothing to do.
    public Pipeline() {
    }

    /// A new gate: open as long as no job closes it.
    public int gate() {
        if (gates == closed.length()) closed = grown(closed);
        closed.setPlain(gates, 0);
        return gates++;
    }

    private static AtomicIntegerArray grown(AtomicIntegerArray a) {
        AtomicIntegerArray b = new AtomicIntegerArray(2 * a.length());
        for (int i = 0; i < a.length(); i++) b.setPlain(i, a.getPlain(i));
        return b;
    }

    /// Adds a job.
    ///
    /// @param part what the work is told
    /// @param units how many; nothing is added for none
    /// @param unitCost in multiply-adds or something like it: for sharing the work evenly
    /// @param wants the gate that the job waits for, or [#OPEN]
    /// @param closes the gate that is closed until the job is done, or [#OPEN] for none
    public void add(Work work, int part, int units, long unitCost, int wants, int closes) {
        if (units > 0) add(units, unitCost, wants, closes, part).work = work;
    }

    private Job add(int units, long unitCost, int wants, int closes, int part) {
        if (size == jobs.length) {
            jobs = Arrays.copyOf(jobs, Math.max(16, 2 * size));
            for (int i = size; i < jobs.length; i++) jobs[i] = new Job();
        }
        if (size == taken.length()) taken = grown(taken);
        Job job = jobs[size];
        job.part = part;
        job.units = units;
        job.take = Math.clamp(GRAIN / Math.max(1, unitCost), 1, units);
        job.wants = wants;
        job.closes = closes;
        taken.setPlain(size++, 0);
        if (closes != OPEN) closed.setPlain(closes, closed.getPlain(closes) + units);
        cost += Math.max(1, unitCost) * units;
        return job;
    }

    /// Adds what products of `w` want made of one segment's columns (8-bit blocks, packed columns), if that is anything. The columns
    /// themselves need not be there yet, only their number. What is made holds for this run. Who asks for the same segment of the same
    /// columns again names the same gates.
    ///
    /// @param wants the gate that the columns wait for, or [#OPEN]
    /// @param closes the gate that is closed until the columns and what is made of them are there
    public void prepare(Matrix w, Activation x, int segment, int wants, int closes) {
        Form form = w.kernel().form(x.columns(segment));
        if (form == Form.NONE) {
            if (wants != OPEN) add(1, 1, wants, closes, 0); // does nothing, but after the columns
            return;
        }
        Prepared p = x.prepared(form);
        if (!isMine(p)) {
            p.forget(); // an earlier region's: all of it is made anew, segment by segment
            if (formCount == forms.length) forms = Arrays.copyOf(forms, 2 * formCount);
            forms[formCount++] = p;
            p.begin();
            p.lay();
        }
        if (!p.ask(segment)) return;
        int first = p.firsts[segment], units = p.firsts[segment + 1] - first;
        if (units > 0) add(units, form.unitCost(p), wants, closes, first).prepared = p;
    }

    private boolean isMine(Prepared p) {
        for (int i = 0; i < formCount; i++) if (forms[i] == p) return true;
        return false;
    }

    /// Runs all jobs, returns when they are done, and is empty again. What a job throws is thrown here.
    ///
    /// @param region whose workers take part; empty
    public void run(Region region) {
        try {
            failed.setPlain(false);
            int threads = region.threads();
            if (size > 0) region.add(pull, threads, cost / threads + 1);
            region.run();
        } finally {
            clear();
        }
    }

    /// Forgets what was added and not run: for who fails between the two.
    public void clear() {
        for (int i = 0; i < formCount; i++) forms[i].forget();
        for (int i = 0; i < size; i++) {
            jobs[i].work = null;
            jobs[i].prepared = null;
        }
        formCount = 0;
        size = 0;
        cost = 0;
        gates = 0;
    }

    /// A worker's part: units until none is left that nobody took. The first worker to fail ends it for all: gates that it left closed
    /// would be waited for without end.
    private void pull(WorkerScratch scratch) {
        boolean whole = false;
        try {
            int looks = 0;
            for (int first = 0; !failed.getOpaque();) {
                while (first < size && taken.get(first) >= jobs[first].units) first++;
                if (first == size) break;
                if (takeOne(first, scratch)) {
                    looks = 0;
                } else if (++looks < LOOKS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(this, REST_NANOS);
                }
            }
            whole = true;
        } finally {
            if (!whole) failed.set(true);
        }
    }

    private boolean takeOne(int first, WorkerScratch scratch) {
        for (int i = first; i < size; i++) {
            Job job = jobs[i];
            int from = taken.get(i);
            if (from >= job.units || job.wants != OPEN && closed.get(job.wants) != 0) continue;
            int to = Math.min(job.units, from + job.take);
            if (!taken.compareAndSet(i, from, to)) {
                i--;
                continue;
            }
            job.run(from, to, scratch);
            if (job.closes != OPEN) closed.addAndGet(job.closes, from - to);
            return true;
        }
        return false;
    }
}
