package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.RowKernel;

/// Products straight from the file's blocks, a row at a time: for few columns. Many go to the tile.
final class RowMatMul extends MatMul {
    private final RowKernel kernel;
    private final ArrangedColumns form;
    private final MatMul tile;
    private final int most;

    /// @param form of the kernel's arrangement, shared by all types that have it
    /// @param most columns to compute here
    RowMatMul(RowKernel kernel, ArrangedColumns form, MatMul tile, int most) {
        this.kernel = kernel;
        this.form = form;
        this.tile = tile;
        this.most = most;
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
            long at = ((long) expert * w.rows() + row) * w.rowBytes();
            for (int c = 0; c < columns; c++)
                kernel.rows(w.segment(), at, w.rowBytes(), rows, w.columns(), p.operand, x.start(segment) + c, out,
                        outAt + c * outStride + row, lanes);
        }
    }
}
