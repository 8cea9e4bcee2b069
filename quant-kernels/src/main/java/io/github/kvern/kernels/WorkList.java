package io.github.kvern.kernels;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The tasks of one phase of a region, laid end to end as one line of units: a unit is one or more panels of [#PANEL] rows of a product, or
/// whatever a [RangeTask] counts. Records are reused from phase to phase, so that a step allocates nothing. Filled by the driver;
/// workers only read, and only between a claim of units and the report that they are done.
final class WorkList {
    /// Rows in a panel.
    static final int PANEL = 32;
    /// A claim is about this much work at most (multiply-adds): a worker whose core is taken away keeps little hostage.
    private static final long CLAIM_COST = 4_000_000;

    /// One product or one range task.
    static final class Task {
        @Nullable Matrix matrix;
        @Nullable Activation x;
        float[] out = EMPTY;
        int expert, segment, outAt, outStride, unitRows;
        @Nullable RangeTask task;
        @Nullable Prepared prepared;
        int first, units;
        long unitCost;

        private void run(int from, int to, WorkerScratch scratch) {
            Matrix w = matrix;
            if (w != null && x != null) {
                int end = Math.min(w.rows(), to * unitRows);
                w.kernel().multiply(w, expert, from * unitRows, end, x, segment, out, outAt, outStride, scratch);
            } else if (prepared != null) {
                prepared.form().prepare(prepared, from, to, scratch);
            } else if (task != null) {
                task.run(from, to, scratch);
            }
        }
    }

    private static final float[] EMPTY = {};

    private Task[] tasks = new Task[0];
    private int size;
    private int units;
    private long cost;
    private long largestUnit = 1;

    /// A record to fill in, for a task of this many units.
    Task add(int taskUnits, long unitCost) {
        if (size == tasks.length) {
            tasks = Arrays.copyOf(tasks, Math.max(8, 2 * size));
            for (int i = size; i < tasks.length; i++) tasks[i] = new Task();
        }
        Task t = tasks[size++];
        t.first = units;
        t.units = taskUnits;
        t.unitCost = Math.max(1, unitCost);
        units = Math.addExact(units, taskUnits);
        cost += t.unitCost * taskUnits;
        largestUnit = Math.max(largestUnit, t.unitCost);
        return t;
    }

    /// Forgets the tasks, and what they hold on to.
    void clear() {
        for (int i = 0; i < size; i++) {
            Task t = tasks[i];
            t.matrix = null;
            t.x = null;
            t.out = EMPTY;
            t.task = null;
            t.prepared = null;
        }
        size = 0;
        units = 0;
        cost = 0;
        largestUnit = 1;
    }

    /// Forgets the tasks of a preparation that did not come to its end, and that anything was prepared.
    void discard() {
        for (int i = 0; i < size; i++) {
            Prepared p = tasks[i].prepared;
            if (p != null) p.forget();
        }
        clear();
    }

    /// Adds to `preparation` what the products of this list want made of their activations and is not made yet.
    void prepare(WorkList preparation) {
        for (int i = 0; i < size; i++) {
            Task t = tasks[i];
            if (t.matrix == null || t.x == null) continue;
            Form form = t.matrix.kernel().form(t.x.columns(t.segment));
            if (form == Form.NONE) continue;
            Prepared p = t.x.prepared(form);
            if (p.begin()) preparation.add(p.lay(), form.unitCost(p)).prepared = p;
        }
    }

    int units() {
        return units;
    }

    long cost() {
        return cost;
    }

    /// The most units that one claim should take.
    int claimLimit() {
        return Math.clamp(CLAIM_COST / largestUnit, 1, Integer.MAX_VALUE);
    }

    /// The unit at which a share of the cost ends: the line is cut in `parts` pieces of about equal cost, always in the same places
    /// for the same list.
    int cut(int part, int parts) {
        if (part >= parts) return units;
        long goal = cost / parts * part + cost % parts * part / parts;
        for (int i = 0; i < size; i++) {
            Task t = tasks[i];
            long whole = t.unitCost * t.units;
            if (goal < whole) return t.first + (int) ((goal + t.unitCost / 2) / t.unitCost);
            goal -= whole;
        }
        return units;
    }

    /// Runs the units `from` to `to` (exclusive) of the line.
    void run(int from, int to, WorkerScratch scratch) {
        int low = 0;
        for (int high = size - 1; low < high;) {
            int middle = low + high + 1 >>> 1;
            if (tasks[middle].first <= from) low = middle;
            else high = middle - 1;
        }
        for (int i = low; i < size && tasks[i].first < to; i++) {
            Task t = tasks[i];
            t.run(Math.max(from - t.first, 0), Math.min(to - t.first, t.units), scratch);
        }
    }
}
