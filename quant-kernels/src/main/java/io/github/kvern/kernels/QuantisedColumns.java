package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.PackedOperand;
import io.github.kvern.kernels.vector.PackedType;

/// Columns in 8 bits, as a packed type reads them. A unit is a group of columns; each of few columns is a group of its own.
///
/// `table`: for each segment the number of columns before it, with the padding of the segments before; `ints`: for each group its
/// segment and its first column in the segment.
final class QuantisedColumns extends Form {
    private final Warmth warmth = new Warmth();
    private final PackedType type;

    QuantisedColumns(PackedType type) {
        this.type = type;
    }

    /// Columns of the next group, where this many of a segment are left, with its padding.
    private static int width(boolean few, int left) {
        return few ? 1 : PackedOperand.width(left);
    }

    @Override
    int units(Prepared p) {
        Activation x = p.x();
        p.table = Prepared.room(p.table, x.segments());
        p.ints = Prepared.room(p.ints, 2L * x.columns());
        int columns = 0;
        int groups = 0;
        for (int s = 0; s < x.segments(); s++) {
            p.table[s] = columns;
            p.firsts[s] = groups;
            int count = x.columns(s);
            for (int c = 0, width; c < count; c += width) {
                width = width(count <= type.few(), count - c);
                p.ints[2 * groups] = s;
                p.ints[2 * groups++ + 1] = c;
                columns += width;
            }
        }
        p.packed.room(type, x.width(), columns);
        return groups;
    }

    @Override
    long unitCost(Prepared p) {
        return 8L * p.x().width() * Math.min(PackedOperand.GROUP, p.x().columns());
    }

    @Override
    void prepare(Prepared p, int from, int to, WorkerScratch scratch) {
        quantise(p, from, to, scratch, !warmth.isCold());
    }

    /// @param vectors false computes the same in plain loops
    void quantise(Prepared p, int from, int to, WorkerScratch scratch, boolean vectors) {
        Activation x = p.x();
        for (int u = from; u < to; u++) {
            int segment = p.ints[2 * u], column = p.ints[2 * u + 1];
            boolean few = x.columns(segment) <= type.few();
            int left = x.columns(segment) - column, count = Math.min(left, width(few, left));
            p.packed.group(type, x.values(), (x.start(segment) + column) * x.width(), x.width(), count, p.table[segment] + column, few,
                    scratch.ints(256), vectors);
        }
    }

    Exercise exercise(Matrix little) {
        WorkerScratch scratch = new WorkerScratch(0);
        Prepared p = MatMul.columns(little, 1).prepared(this);
        int units = p.lay();
        return new Exercise("activations for packed " + little.type(), warmth, () -> {
            quantise(p, 0, units, scratch, true);
            return 8L * little.columns();
        });
    }
}
