package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.PackedOperand;
import io.github.kvern.kernels.vector.PackedPlain;
import io.github.kvern.kernels.vector.PackedRuns;
import io.github.kvern.kernels.vector.PackedTile;
import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Products with packed weights and 8-bit activations. A column's result is the same alone and among many.
///
/// While a kernel is not compiled, rows are restored as they are in the file and multiplied in plain loops, with the same bits.
final class PackedMatMul extends MatMul {
    /// Columns whose accumulators are kept while a tile of rows goes by.
    private static final int BATCH = 512;
    /// Unpacking a weight costs about as much as this many multiply-adds.
    private static final int UNPACK = 3;

    /// Values in a row that are enough to run a kernel's loops.
    private static final int LITTLE = 1024;

    final PackedType type;
    private final TensorType file;
    private final QuantisedColumns form;
    private final Warmth one = new Warmth(), some = new Warmth(), many = new Warmth();
    private volatile @Nullable Unpacking unpacking;

    /// @param file the type's blocks in the file
    PackedMatMul(TensorType file, PackedType type) {
        this.file = file;
        this.type = type;
        form = new QuantisedColumns(type);
    }

    /// The way back. Worked out when it is first asked for: most models have one type or two.
    Unpacking unpacking() {
        Unpacking u = unpacking;
        if (u == null) unpacking = u = new Unpacking(file, type); // two at once make two of the same
        return u;
    }

    @Override
    Form form(int columns) {
        return form;
    }

    @Override
    long cost(Matrix w, int columns) {
        return (long) w.columns() * (columns <= type.few() ? columns : columns + UNPACK);
    }

    /// A tile of two panels should not be cut in two: each half would cost as much as the whole.
    @Override
    int unitRows(int columns) {
        return columns <= type.few() ? PackedType.ROWS : type.tileRows();
    }

    private Warmth warmth(int columns) {
        return columns <= type.few() ? one : type instanceof PackedRuns runs && columns <= runs.direct() ? some : many;
    }

    @Override
    void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int columns = x.columns(segment), before = x.prepared(form).table[segment];
        PackedOperand operand = x.prepared(form).packed;
        if (warmth(columns).staysCold(columns)) {
            plain(w, expert, from, to, operand, before, columns, out, outAt, outStride, scratch);
            return;
        }
        if (columns <= type.few()) {
            for (int row = from; row < to; row += PackedType.ROWS) {
                int rows = Math.min(PackedType.ROWS, to - row);
                for (int c = 0; c < columns; c++)
                    column(w, expert, row, rows, operand, before + c, out, outAt + c * outStride + row, scratch);
            }
            return;
        }
        PackedRuns direct = type instanceof PackedRuns runs && columns <= runs.direct() ? runs : null;
        for (int c = 0; c < columns; c += BATCH) {
            int count = Math.min(BATCH, columns - c);
            for (int row = from; row < to; row += type.tileRows()) {
                int rows = Math.min(type.tileRows(), to - row);
                tile(w, expert, row, rows, direct, operand, before + c, count, out, outAt + c * outStride + row, outStride, scratch);
            }
        }
    }

    private void column(Matrix w, int expert, int row, int rows, PackedOperand x, int before, float[] out, int outAt,
            WorkerScratch scratch) {
        PackedWeights p = w.packed();
        float[] y = scratch.floats(0, PackedType.ROWS);
        int panel = row / PackedType.ROWS;
        type.column(p.segment(expert, panel), p.offset(expert, panel), w.columns() / type.blockLength(), x, before, y);
        System.arraycopy(y, 0, out, outAt, rows);
    }

    /// The same in plain loops, from restored rows.
    private void plain(Matrix w, int expert, int from, int to, PackedOperand x, int before, int columns, float[] out, int outAt,
            int outStride, WorkerScratch scratch) {
        boolean few = columns <= type.few(); // each is a group of its own
        RestoredRows restored = scratch.restoredRows();
        for (int row = from; row < to; row += RestoredRows.MOST) { // a panel's rows are a multiple of that
            int rows = Math.min(RestoredRows.MOST, to - row);
            byte[] bytes = restored.bytes(w, this, expert, row, rows);
            int rowBytes = (int) w.rowBytes(); // the array has room for several rows
            for (int r = 0; r < rows; r++) {
                for (int c = 0, group = 0, width = 0, end = 0; c < columns; c++) {
                    if (c == end) {
                        group = c;
                        width = few ? 1 : PackedOperand.width(columns - c);
                        end = c + width;
                    }
                    out[outAt + c * outStride + row + r] = PackedPlain.row(file, bytes, r * rowBytes, w.columns(), x, before + group, width,
                            c - group, type, few);
                }
            }
        }
    }

    private void tile(Matrix w, int expert, int row, int rows, @Nullable PackedRuns direct, PackedOperand x, int before, int count,
            float[] out, int outAt, int outStride, WorkerScratch scratch) {
        int tileRows = type.tileRows();
        float[] acc = scratch.floats(0, (count + PackedOperand.GROUP) * tileRows);
        Arrays.fill(acc, 0, (count + PackedOperand.GROUP) * tileRows, 0);
        if (direct != null) direct(direct, w, expert, row / PackedType.ROWS, rows, scratch.tile(), x, before, count, acc);
        else unpacked(w, expert, row / PackedType.ROWS, rows, scratch.tile(), x, before, count, acc);
        for (int c = 0; c < count; c++) System.arraycopy(acc, c * tileRows, out, outAt + c * outStride, rows);
    }

    private void unpacked(Matrix w, int expert, int panel, int rows, PackedTile tile, PackedOperand x, int before, int count, float[] acc) {
        PackedWeights p = w.packed();
        int k = w.columns(), blocks = k / type.blockLength(), width, n;
        for (int block = 0; block < blocks; block += n) {
            n = Math.min(type.stepBlocks(), blocks - block);
            for (int i = 0; i * PackedType.ROWS < rows; i++) {
                MemorySegment s = p.segment(expert, panel + i);
                type.unpack(s, p.offset(expert, panel + i) + (long) block * type.blockBytes(), n, tile, i);
            }
            for (int c = 0; c < count; c += width) {
                width = PackedOperand.width(count - c);
                type.multiply(tile, x, before + c, width, k, block, n, acc, c * type.tileRows());
            }
        }
    }

    private static void direct(PackedRuns type, Matrix w, int expert, int panel, int rows, PackedTile tile, PackedOperand x, int before,
            int count, float[] acc) {
        PackedWeights p = w.packed();
        int second = rows > PackedType.ROWS ? panel + 1 : panel, k = w.columns(), width;
        MemorySegment low = p.segment(expert, panel), high = p.segment(expert, second);
        long lowAt = p.offset(expert, panel), highAt = p.offset(expert, second);
        for (int block = 0; block < k / type.blockLength(); block++) {
            for (int c = 0; c < count; c += width) {
                width = PackedOperand.width(count - c);
                type.direct(low, lowAt, high, highAt, tile, x, before + c, width, k, block, c == 0, acc, c * type.tileRows());
            }
            lowAt += type.blockBytes();
            highAt += type.blockBytes();
        }
    }

    /// A packed matrix, a tile high and at most as wide as the given one. Of weights that lie in a file it is a piece: code that was
    /// compiled for memory of another kind is given up at the first use, and then runs as if it had never been compiled. Otherwise of
    /// zeros, so that kernels are compiled while the weights are packed.
    private Matrix littlePacked(Matrix large) {
        int block = file.blockLength(), k = Math.min(large.columns(), Math.max(block, LITTLE / block * block));
        long bytes = PackedWeights.bytes(type, type.tileRows(), k, 1);
        MemorySegment piece = (large.layout() == Layout.PACKED ? large.packed().stored(bytes) : Optional.<MemorySegment>empty())
                .orElseGet(() -> Arena.ofAuto().allocate(bytes, 64));
        return new Matrix(file, null, type.tileRows(), k, 1, this, this, PackedWeights.in(piece, type, type.tileRows(), k, 1));
    }

    @Override
    List<Exercise> exercises(Matrix large) {
        Matrix sample = littlePacked(large);
        int rows = sample.rows(), k = sample.columns();
        WorkerScratch scratch = new WorkerScratch(0);
        Prepared alone = laid(sample, 1, scratch);
        float[] y = new float[PackedType.ROWS];
        List<Exercise> all = new ArrayList<>();
        all.add(new Exercise("packed, one column, " + sample.type(), one, () -> {
            column(sample, 0, 0, Math.min(rows, PackedType.ROWS), alone.packed, 0, y, 0, scratch);
            return (long) PackedType.ROWS * k;
        }));
        all.add(tiles("packed, many columns, " + sample.type(), many, sample, null, scratch));
        if (type instanceof PackedRuns runs) all.add(tiles("packed, some columns, " + sample.type(), some, sample, runs, scratch));
        all.add(form.exercise(little(sample, LITTLE)));
        return all;
    }

    /// Tiles with groups of every width in turn.
    private Exercise tiles(String name, Warmth warmth, Matrix sample, @Nullable PackedRuns direct, WorkerScratch scratch) {
        List<Prepared> batches = new ArrayList<>();
        for (int count : new int[] {PackedOperand.GROUP + 1, PackedOperand.GROUP + 2, PackedOperand.GROUP + 4})
            batches.add(laid(sample, count, scratch));
        float[] out = new float[PackedTile.ROWS * (PackedOperand.GROUP + 4)];
        AtomicInteger turn = new AtomicInteger();
        return new Exercise(name, warmth, () -> {
            Prepared p = batches.get(turn.getAndIncrement() % batches.size());
            int count = p.x().columns();
            tile(sample, 0, 0, sample.rows(), direct, p.packed, 0, count, out, 0, sample.rows(), scratch);
            return (long) type.tileRows() * sample.columns() * (count + UNPACK);
        });
    }

    private Prepared laid(Matrix sample, int columns, WorkerScratch scratch) {
        Prepared p = columns(sample, columns).prepared(form);
        form.quantise(p, 0, p.lay(), scratch, false);
        return p;
    }
}
