package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.Lanes;
import io.github.kvern.kernels.vector.Tile;

/// Columns side by side, as the float tile reads them. A segment is cut in batches of up to [#BATCH] columns, a batch in groups of
/// [Lanes#COLUMNS], the last group in one of 1, 2, 4 or 8 with zeros for what is missing:
///
/// ```
///   segment, batch, step of up to Tile.STEP values of k, group:  float[k][columns of the group]
/// ```
///
/// so that one step of a batch lies together and stays in the second-level cache. A unit is a group.
///
/// `floats`: the columns; `table`: for each segment the number of (padded) columns before it; `ints`: for each group its segment and
/// its first column in the segment.
final class PackedColumns extends Form {
    static final PackedColumns FORM = new PackedColumns();
    /// Columns whose accumulators are kept while a panel of rows goes by.
    static final int BATCH = 512;

    private PackedColumns() {}

    /// Columns of a batch with the padding of its last group.
    static int padded(int count) {
        int rest = count % Lanes.COLUMNS;
        return count - rest + Tile.padded(rest);
    }

    /// Where a batch begins in the floats.
    static int start(Prepared p, int segment, int batchColumn) {
        return (p.table[segment] + batchColumn) * p.x().width();
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
            columns += count / BATCH * BATCH + padded(count % BATCH);
            for (int c = 0; c < count; c += Lanes.COLUMNS) {
                p.ints[2 * groups] = s;
                p.ints[2 * groups++ + 1] = c;
            }
        }
        p.lay((long) columns * x.width());
        return groups;
    }

    @Override
    long unitCost(Prepared p) {
        return 8L * p.x().width() * Lanes.COLUMNS;
    }

    @Override
    void prepare(Prepared p, int from, int to, WorkerScratch scratch) {
        for (int u = from; u < to; u++) group(p, p.ints[2 * u], p.ints[2 * u + 1]);
    }

    private static void group(Prepared p, int segment, int column) {
        Activation x = p.x();
        int k = x.width();
        int batch = column / BATCH * BATCH;
        int count = Math.min(BATCH, x.columns(segment) - batch);
        int columns = Math.min(Lanes.COLUMNS, count - (column - batch));
        int width = columns == Lanes.COLUMNS ? columns : Tile.padded(columns);
        int padded = padded(count);
        int source = (x.start(segment) + column) * k;
        int base = start(p, segment, batch);
        for (int step = 0; step < k; step += Tile.STEP) {
            int n = Math.min(Tile.STEP, k - step);
            pack(x.values(), source + step, k, columns, p.floats, base + step * padded + (column - batch) * n, width, n);
        }
    }

    private static void pack(float[] x, int at, int stride, int columns, float[] out, int outAt, int width, int n) {
        if (width == 8 && columns == 8) {
            for (int i = 0; i < n; i++, at++, outAt += 8) {
                out[outAt] = x[at];
                out[outAt + 1] = x[at + stride];
                out[outAt + 2] = x[at + 2 * stride];
                out[outAt + 3] = x[at + 3 * stride];
                out[outAt + 4] = x[at + 4 * stride];
                out[outAt + 5] = x[at + 5 * stride];
                out[outAt + 6] = x[at + 6 * stride];
                out[outAt + 7] = x[at + 7 * stride];
            }
        } else {
            for (int i = 0; i < n; i++)
                for (int c = 0; c < width; c++) out[outAt + i * width + c] = c < columns ? x[at + c * stride + i] : 0;
        }
    }
}
