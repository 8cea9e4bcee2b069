package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.PanelDecoder;
import io.github.kvern.kernels.vector.Tile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Products with dequantised weights and float activations, any number of columns: a panel of 32 rows is decoded, a block of k at a
/// time, and multiplied with all columns of a batch before the next block.
final class TileMatMul extends MatMul {
    /// Values of k decoded at once: a multiple of every type's block and of [Tile#STEP].
    private static final int BLOCK = 256;
    /// Decoding a weight costs about as much as this many multiply-adds.
    private static final int DECODE = 12;

    private final Warmth warmth = new Warmth();
    private final PanelDecoder decoder;

    TileMatMul(PanelDecoder decoder) {
        this.decoder = decoder;
    }

    @Override
    Form form(int columns) {
        return PackedColumns.FORM;
    }

    @Override
    long cost(Matrix w, int columns) {
        return (long) w.columns() * (columns + DECODE);
    }

    @Override
    void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int columns = x.columns(segment);
        Prepared p = x.prepared(PackedColumns.FORM);
        for (int c = 0; c < columns; c += PackedColumns.BATCH) {
            int count = Math.min(PackedColumns.BATCH, columns - c);
            int at = PackedColumns.start(p, segment, c);
            for (int row = from; row < to; row += Tile.ROWS) {
                int rows = Math.min(Tile.ROWS, to - row), o = outAt + c * outStride;
                if (warmth.staysCold(columns))
                    ScalarMatMul.rows(w, expert, row, row + rows, x, x.start(segment) + c, count, out, o, outStride, scratch);
                else
                    panel(w, expert, row, rows, p.floats, at, count, out, o + row, outStride, scratch);
            }
        }
    }

    private void panel(Matrix w, int expert, int row, int rows, float[] x, int xAt, int count, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int padded = PackedColumns.padded(count);
        int width = w.columns();
        float[] acc = scratch.floats(0, padded * Tile.ROWS);
        float[] panel = scratch.floats(1, BLOCK * Tile.ROWS);
        float[] floats = scratch.floats(2, PanelDecoder.FLOATS);
        int[] ints = scratch.ints(PanelDecoder.INTS);
        Arrays.fill(acc, 0, padded * Tile.ROWS, 0);
        long at = ((long) expert * w.rows() + row) * w.rowBytes();
        for (int k = 0; k < width; k += BLOCK) {
            int n = Math.min(BLOCK, width - k);
            decoder.decode(w.segment(), at + w.type().rowBytes(k), w.rowBytes(), rows, n, panel, floats, ints);
            for (int step = 0; step < n; step += Tile.STEP)
                Tile.step(panel, step * Tile.ROWS, x, xAt + (k + step) * padded, Math.min(Tile.STEP, n - step), count, acc);
        }
        for (int c = 0; c < count; c++) System.arraycopy(acc, c * Tile.ROWS, out, outAt + c * outStride, rows);
    }

    @Override
    List<Exercise> exercises(Matrix sample) {
        Matrix w = little(sample, 512);
        WorkerScratch scratch = new WorkerScratch(0);
        List<Prepared> batches = new ArrayList<>(); // every width of a group
        for (int count : new int[] {8, 1, 10, 4, 8}) {
            Prepared p = columns(w, count).prepared(PackedColumns.FORM);
            PackedColumns.FORM.prepare(p, 0, p.lay(), scratch);
            batches.add(p);
        }
        float[] out = new float[10 * Tile.ROWS];
        AtomicInteger turn = new AtomicInteger();
        return List.of(new Exercise("many columns, " + sample.type(), warmth, () -> {
            Prepared p = batches.get(turn.getAndIncrement() % batches.size());
            int count = p.x().columns();
            panel(w, 0, 0, w.rows(), p.floats, 0, count, out, 0, w.rows(), scratch);
            return Tile.ROWS * cost(w, count);
        }));
    }
}
