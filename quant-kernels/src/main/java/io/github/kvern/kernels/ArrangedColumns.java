package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.Arrangement;

/// Columns in the order of a type's blocks, for row kernels. A unit is a piece of a column.
final class ArrangedColumns extends Form {
    private final Warmth warmth = new Warmth();
    private final Arrangement arrangement;

    ArrangedColumns(Arrangement arrangement) {
        this.arrangement = arrangement;
    }

    @Override
    int units(Prepared p) {
        arrangement.room(p.operand, p.x().width(), p.x().columns());
        for (int s = 0; s < p.x().segments(); s++) p.firsts[s] = p.x().start(s) * pieces(p);
        return pieces(p) * p.x().columns();
    }

    private static int pieces(Prepared p) {
        return (p.x().width() + Arrangement.UNIT - 1) / Arrangement.UNIT;
    }

    @Override
    long unitCost(Prepared p) {
        return 8L * Math.min(Arrangement.UNIT, p.x().width());
    }

    @Override
    void prepare(Prepared p, int from, int to, WorkerScratch scratch) {
        arrange(p, from, to, scratch, !warmth.isCold());
    }

    /// @param vectors false computes the same in plain loops
    void arrange(Prepared p, int from, int to, WorkerScratch scratch, boolean vectors) {
        Activation x = p.x();
        int pieces = pieces(p);
        for (int u = from; u < to; u++) {
            int column = u / pieces;
            int start = u % pieces * Arrangement.UNIT;
            int end = Math.min(x.width(), start + Arrangement.UNIT);
            arrangement.arrange(x.values(), column * x.width(), x.width(), column, start, end, p.operand,
                    scratch.ints(Arrangement.SCRATCH), vectors);
        }
    }

    Exercise exercise(Matrix little) {
        WorkerScratch scratch = new WorkerScratch(0);
        Prepared p = MatMul.columns(little, 1).prepared(this);
        int units = p.lay();
        return new Exercise("activations for " + little.type(), warmth, () -> {
            arrange(p, 0, units, scratch, true);
            return 8L * little.columns();
        });
    }
}
