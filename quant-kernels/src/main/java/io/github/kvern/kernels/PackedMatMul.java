package io.github.kvern.kernels;

import io.github.kvern.kernels.vector.PackedOperand;
import io.github.kvern.kernels.vector.PackedTile;
import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Products with packed weights and 8-bit activations. A column's result is the same alone and among many.
final class PackedMatMul extends MatMul {
    /// Columns whose accumulators are kept while a tile of rows goes by.
    private static final int BATCH = 512;
    /// Unpacking a weight costs about as much as this many multiply-adds.
    private static final int UNPACK = 3;

    final PackedType type;
    private final QuantisedColumns form;

    PackedMatMul(PackedType type) {
        this.type = type;
        form = new QuantisedColumns(type);
    }

    @Override
    Form form(int columns) {
        return form;
    }

    @Override
    long cost(Matrix w, int columns) {
        return columns == 1 ? w.columns() : (long) w.columns() * (columns + UNPACK);
    }

    @Override
    void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int columns = x.columns(segment), before = x.prepared(form).table[segment];
        PackedOperand operand = x.prepared(form).packed;
        if (columns == 1) {
            column(w, expert, from, to, operand, before, out, outAt, scratch);
            return;
        }
        for (int c = 0; c < columns; c += BATCH) {
            int count = Math.min(BATCH, columns - c);
            for (int row = from; row < to; row += type.tileRows())
                tile(w, expert, row, Math.min(type.tileRows(), to - row), operand, before + c, count, out, outAt + c * outStride + row,
                        outStride, scratch);
        }
    }

    private void column(Matrix w, int expert, int from, int to, PackedOperand x, int before, float[] out, int outAt,
            WorkerScratch scratch) {
        PackedWeights p = w.packed();
        int blocks = w.columns() / type.blockLength();
        float[] y = scratch.floats(0, PackedType.ROWS);
        for (int row = from; row < to; row += PackedType.ROWS) {
            int panel = row / PackedType.ROWS;
            type.column(p.segment(expert, panel), p.offset(expert, panel), blocks, x, before, y);
            System.arraycopy(y, 0, out, outAt + row, Math.min(PackedType.ROWS, to - row));
        }
    }

    private void tile(Matrix w, int expert, int row, int rows, PackedOperand x, int before, int count, float[] out, int outAt,
            int outStride, WorkerScratch scratch) {
        PackedWeights p = w.packed();
        PackedTile tile = scratch.tile();
        int k = w.columns(), panel = row / PackedType.ROWS, blocks = k / type.blockLength(), tileRows = type.tileRows(), width, n;
        float[] acc = scratch.floats(0, (count + PackedOperand.GROUP) * tileRows);
        Arrays.fill(acc, 0, (count + PackedOperand.GROUP) * tileRows, 0);
        for (int block = 0; block < blocks; block += n) {
            n = Math.min(type.stepBlocks(), blocks - block);
            for (int i = 0; i * PackedType.ROWS < rows; i++) {
                MemorySegment s = p.segment(expert, panel + i);
                type.unpack(s, p.offset(expert, panel + i) + (long) block * type.blockBytes(), n, tile, i);
            }
            for (int c = 0; c < count; c += width) {
                width = Math.min(PackedOperand.GROUP, PackedOperand.padded(count - c));
                type.multiply(tile, x, before + c, width, k, block, n, acc, c * tileRows);
            }
        }
        for (int c = 0; c < count; c++) System.arraycopy(acc, c * tileRows, out, outAt + c * outStride, rows);
    }

    @Override
    List<Exercise> exercises(Matrix sample) {
        int rows = Math.min(sample.rows(), type.tileRows()), k = sample.columns();
        WorkerScratch scratch = new WorkerScratch(0);
        List<Prepared> batches = new ArrayList<>(); // alone, then groups of every width
        for (int count : new int[] {1, 5, 2}) {
            Prepared p = columns(sample, count).prepared(form);
            form.prepare(p, 0, form.units(p), scratch);
            batches.add(p);
        }
        float[] out = new float[PackedTile.ROWS * (PackedOperand.GROUP + 1)];
        AtomicInteger turn = new AtomicInteger();
        return List.of(new Exercise("packed, one column, " + sample.type(), new Warmth(), () -> {
            column(sample, 0, 0, rows, batches.getFirst().packed, 0, out, 0, scratch);
            return (long) rows * k;
        }), new Exercise("packed, many columns, " + sample.type(), new Warmth(), () -> {
            Prepared p = batches.get(1 + turn.getAndIncrement() % 2);
            int count = p.x().columns();
            tile(sample, 0, 0, rows, p.packed, 0, count, out, 0, rows, scratch);
            form.prepare(p, 0, 1, scratch);
            return (long) type.tileRows() * k * (count + UNPACK);
        }));
    }
}
