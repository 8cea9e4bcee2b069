package io.github.kvern.kernels;

/// A form that a kernel wants activations in. Stateless; the data are in a [Prepared].
abstract class Form {
    /// For kernels that read the values as they are.
    static final Form NONE = new Form() {
        @Override
        int units(Prepared p) {
            return 0;
        }

        @Override
        long unitCost(Prepared p) {
            return 0;
        }

        @Override
        void prepare(Prepared p, int from, int to, WorkerScratch scratch) {}
    };

    /// Makes room for all columns of the activation, and counts the units that [#prepare] works in: those of a segment lie side by side,
    /// and begin at [Prepared#firsts]. Called by [Prepared#lay].
    abstract int units(Prepared p);

    /// The cost of one unit, in something like multiply-adds.
    abstract long unitCost(Prepared p);

    /// Makes the units `from` to `to` (exclusive). Called by any worker.
    abstract void prepare(Prepared p, int from, int to, WorkerScratch scratch);
}
