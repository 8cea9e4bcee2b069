package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.RowKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Products straight from the file's blocks, a row at a time: for few columns. Many go to the tile.
final class RowMatMul extends MatMul {
    private final Warmth warmth = new Warmth();
    private final RowKernel kernel;
    private final ArrangedColumns form;
    private final MatMul tile;
    private final int most;

    /// @param form of the kernel's arrangement, shared by all types that have it
    RowMatMul(RowKernel kernel, ArrangedColumns form, MatMul tile) {
        this.kernel = kernel;
        this.form = form;
        this.tile = tile;
        most = kernel.most();
    }

    @Override
    Form form(int columns) {
        return columns <= most ? form : tile.form(columns);
    }

    @Override
    long cost(Matrix w, int columns) {
        return columns <= most ? (long) w.columns() * columns * 2 : tile.cost(w, columns);
    }

    @Override
    void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int columns = x.columns(segment);
        if (columns > most) {
            tile.multiply(w, expert, from, to, x, segment, out, outAt, outStride, scratch);
            return;
        }
        Prepared p = x.prepared(form);
        float[] lanes = scratch.floats(0, RowKernel.SCRATCH);
        for (int row = from; row < to; row += WorkList.PANEL) {
            int rows = Math.min(WorkList.PANEL, to - row);
            panel(w, ((long) expert * w.rows() + row) * w.rowBytes(), rows, p, x.start(segment), columns, out, outAt + row, outStride,
                    lanes,
                    !warmth.staysCold(columns));
        }
    }

    private void panel(Matrix w, long at, int rows, Prepared p, int first, int columns, float[] out, int outAt, int outStride,
            float[] lanes, boolean vectors) {
        if (!vectors) {
            for (int c = 0; c < columns; c++)
                for (int r = 0; r < rows; r++)
                    out[outAt + c * outStride + r] = kernel.plain(w.segment(), at + r * w.rowBytes(), w.columns(), p.operand, first + c,
                            lanes);
        } else if (columns == 1) {
            kernel.rows(w.segment(), at, w.rowBytes(), rows, w.columns(), p.operand, first, out, outAt, lanes);
        } else {
            kernel.rows(w.segment(), at, w.rowBytes(), rows, w.columns(), p.operand, first, columns, out, outAt, outStride, lanes);
        }
    }

    @Override
    List<Exercise> exercises(Matrix sample) {
        Matrix w = little(sample, kernel.enough());
        int rows = Math.min(w.rows(), WorkList.PANEL - 1); // some kernels take four at once and have a loop for what is left
        WorkerScratch scratch = new WorkerScratch(0);
        Prepared p = columns(w, 4).prepared(form);
        form.arrange(p, 0, p.lay(), scratch, false);
        float[] out = new float[4 * WorkList.PANEL], lanes = new float[RowKernel.SCRATCH];
        AtomicInteger turn = new AtomicInteger();
        List<Exercise> all = new ArrayList<>();
        all.add(new Exercise("few columns, " + sample.type(), warmth, () -> {
            int columns = turn.getAndIncrement() % 2 == 0 ? 1 : 4;
            panel(w, 0, rows, p, 0, columns, out, 0, WorkList.PANEL, lanes, true);
            return (long) rows * w.columns() * columns;
        }));
        all.add(form.exercise(w));
        all.addAll(tile.exercises(sample));
        return all;
    }
}
