package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.vector.PackedOperand;
import io.github.kvern.kernels.vector.PackedPlain;
import io.github.kvern.kernels.vector.PackedType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Products with packed weights that are the only copy. While a kernel is not compiled, rows are restored as they are in the file and
/// multiplied in plain loops, with the same bits.
final class RestoringMatMul extends MatMul {
    private static final Map<TensorType, RestoringMatMul> ALL = new ConcurrentHashMap<>();

    private final PackedMatMul kernel;
    private final Unpacking unpacking;
    /// In place of the kernel's own, so that it never asks for rows as in the file.
    private final Warmth one = new Warmth(), many = new Warmth();

    private RestoringMatMul(TensorType type, PackedMatMul kernel) {
        this.kernel = kernel;
        unpacking = new Unpacking(type, kernel.type);
    }

    /// The one for a type: what is compiled for one matrix is compiled for all.
    static RestoringMatMul of(TensorType type, PackedMatMul kernel) {
        return ALL.computeIfAbsent(type, t -> new RestoringMatMul(t, kernel));
    }

    @Override
    Form form(int columns) {
        return kernel.form(columns);
    }

    @Override
    long cost(Matrix w, int columns) {
        return kernel.cost(w, columns);
    }

    @Override
    int unitRows(int columns) {
        return kernel.unitRows(columns);
    }

    @Override
    void multiply(Matrix w, int expert, int from, int to, Activation x, int segment, float[] out, int outAt, int outStride,
            WorkerScratch scratch) {
        int columns = x.columns(segment);
        boolean few = columns <= PackedMatMul.FEW;
        if (!(few ? one : many).isCold()) {
            kernel.multiply(w, expert, from, to, x, segment, out, outAt, outStride, scratch);
            return;
        }
        Prepared p = x.prepared(form(columns));
        boolean floats = !few && kernel.type.usesFloats();
        for (int row = from; row < to; row += PackedType.ROWS) {
            int rows = Math.min(PackedType.ROWS, to - row);
            MemorySegment s = MemorySegment.ofArray(rows(w, expert, row, rows));
            for (int r = 0; r < rows; r++)
                plain(w, s, r, p, segment, columns, floats, out, outAt + row + r, outStride);
        }
    }

    private static void plain(Matrix w, MemorySegment rows, int row, Prepared p, int segment, int columns, boolean floats, float[] out,
            int outAt, int outStride) {
        int before = p.table[segment];
        for (int c = 0; c < columns; c++) {
            boolean few = columns <= PackedMatMul.FEW; // each is a group of its own
            int group = few ? c : c / PackedOperand.GROUP * PackedOperand.GROUP;
            int width = few ? 1 : Math.min(PackedOperand.GROUP, PackedOperand.padded(columns - group));
            out[outAt + c * outStride] = PackedPlain.row(w.type(), rows, row * w.rowBytes(), w.columns(), p.packed, before + group, width,
                    c - group, floats);
        }
    }

    /// Rows of one panel, as in the file.
    private byte[] rows(Matrix w, int expert, int row, int rows) {
        byte[] out = new byte[Math.toIntExact(rows * w.rowBytes())];
        rows(w, expert, row, rows, new byte[kernel.type.blockBytes()], out);
        return out;
    }

    /// Rows of one panel, as in the file.
    ///
    /// @param block [PackedType#blockBytes()] bytes of scratch
    void rows(Matrix w, int expert, int row, int rows, byte[] block, byte[] out) {
        PackedWeights packed = w.packed();
        int panel = row / PackedType.ROWS;
        unpacking.rows(packed.segment(expert, panel), packed.offset(expert, panel), w.columns() / kernel.type.blockLength(),
                row % PackedType.ROWS, rows, block, out);
    }

    PackedMatMul kernel() {
        return kernel;
    }

    /// [Unpacking#format]
    String format() {
        return unpacking.format();
    }

    /// Bytes of a packed block.
    int blockBytes() {
        return kernel.type.blockBytes();
    }

    @Override
    List<Exercise> exercises(Matrix sample) {
        List<Exercise> all = new ArrayList<>(kernel.exercises(sample)); // one column, many columns, the form's
        all.set(0, new Exercise(all.get(0).label(), one, all.get(0).run()));
        all.set(1, new Exercise(all.get(1).label(), many, all.get(1).run()));
        return all;
    }
}
