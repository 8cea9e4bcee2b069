package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorInfo;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.PackedForm;
import io.github.kvern.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Tensors by name, checked against the shape that the model's parameters ask for.
public final class Weights {
    /// Stands for an optional vector that the file does not have.
    public static final float[] NONE = {};

    /// Tables that old converters wrote and that nothing reads: they follow from the metadata.
    private static final Pattern IGNORED = Pattern
            .compile("(blk\\.\\d+\\.)?(attn_)?rot_embd(\\.weight)?|blk\\.\\d+\\.attn\\.rotary_emb\\.inv_freq");

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final GgufFile file;
    private final Kernels kernels;
    private final Precision precision;
    private final List<Matrix> matrices = new ArrayList<>();
    private final Set<String> used = new HashSet<>();
    private final Placement placement;
    private final Copies copies;
    private final Map<String, PackedTensors.Entry> packed;
    private final boolean reads;
    private final Set<String> skipped = new HashSet<>();
    private long heapBytes;

    /// Weights that stay where the file is mapped; memory of copies is freed some time after they are used no more.
    public Weights(GgufFile file, Kernels kernels, Precision precision) {
        this(file, kernels, precision, Placement.MAPPED, new Copies(Arena.ofAuto()));
    }

    /// @param placement where matrices are put
    /// @param copies of what is not used as it is in the file
    public Weights(GgufFile file, Kernels kernels, Precision precision, Placement placement, Copies copies) {
        this(file, kernels, precision, placement, copies, true);
    }

    /// Weights of which nothing is read: names and shapes are checked, vectors hold ones, and matrices are only good for being asked how
    /// large they are. For a plan of a model whose file is all there or not.
    ///
    /// @param copies that are only counted
    public static Weights unread(GgufFile file, Kernels kernels, Precision precision, Placement placement, Copies copies) {
        return new Weights(file, kernels, precision, placement, copies, false);
    }

    private Weights(GgufFile file, Kernels kernels, Precision precision, Placement placement, Copies copies, boolean reads) {
        this.reads = reads;
        this.file = file;
        this.kernels = kernels;
        this.precision = precision;
        this.placement = placement;
        this.copies = copies;
        packed = file.packed().map(PackedTensors::entries).orElse(Map.of());
    }

    /// The kernels that the matrices were made for.
    public Kernels kernels() {
        return kernels;
    }

    /// Whether a row's result is the same in any batch.
    public boolean isReproducible() {
        return precision != Precision.FAST;
    }

    /// Every matrix made so far: what there is to warm up.
    public List<Matrix> matrices() {
        return Collections.unmodifiableList(matrices);
    }

    /// Bytes of the vectors that were read, on the heap.
    public long heapBytes() {
        return heapBytes;
    }

    /// Whether a tensor of the file is computed with: not one that the family passes over, nor a table that nothing reads.
    public boolean uses(String tensor) {
        return used.contains(tensor) && !skipped.contains(tensor);
    }

    /// Whether the file has this tensor.
    public boolean has(String name) {
        return file.find(name).isPresent() || packed.containsKey(name);
    }

    /// A weight `[columns, rows]`.
    public Matrix matrix(String name, int rows, int columns) {
        return make(name, rows, columns, 1, precision);
    }

    /// A weight, or nothing when the file has none of this name.
    public Optional<Matrix> findMatrix(String name, int rows, int columns) {
        return has(name) ? Optional.of(matrix(name, rows, columns)) : Optional.empty();
    }

    /// A router's weight: always computed exactly, because it decides by comparing nearly equal numbers.
    public Matrix router(String name, int experts, int columns) {
        return make(name, experts, columns, 1, Precision.EXACT);
    }

    /// A stack of experts, `[columns, rows, experts]`.
    public Matrix experts(String name, int rows, int columns, int experts) {
        return make(name, rows, columns, experts, precision);
    }

    /// Rows `from` to `from + rows - 1` of a weight that holds `all` rows.
    public Matrix rows(String name, long from, int rows, long all, int columns) {
        PackedTensors.Entry p = packed.get(name);
        if (p != null) return stored(p, from, rows, all, columns, 1, precision);
        Tensor t = checked(name, columns, all, 1);
        long rowBytes = t.type().rowBytes(columns);
        return add(t, from * rowBytes, rows * rowBytes, rows, columns, 1, precision);
    }

    /// Parts of the rows of every head, one matrix for each: heads lie one after the other, and a part at the same place in each.
    ///
    /// @param headRows rows of a head
    /// @param from a part's first row in its head
    /// @param rows rows of a part
    public List<Matrix> headRows(String name, int heads, int headRows, int from, int rows, int columns) {
        List<Matrix> parts = new ArrayList<>();
        long all = (long) heads * headRows;
        for (int h = 0; h < heads; h++) parts.add(rows(name, (long) h * headRows + from, rows, all, columns));
        return parts;
    }

    /// The same parts turned over, as one stack in floats: matrix h has `columns` rows and `rows` columns. A copy.
    public Matrix turnedHeadRows(String name, int heads, int headRows, int from, int rows, int columns) {
        Matrix source = lookUp(name, heads * headRows, columns);
        MemorySegment turned = copies.of(name, 4L * heads * rows * columns, copy -> {
            float[] row = new float[columns];
            for (int h = 0; h < heads; h++)
                for (int r = 0; r < rows; r++) {
                    source.decodeRow(h * headRows + from + r, row, 0);
                    for (int c = 0; c < columns; c++) copy.set(FLOAT, 4L * (((long) h * columns + c) * rows + r), row[c]);
                }
        });
        Matrix m = kernels.matrix(TensorType.F32, turned, /* rows= */ columns, /* columns= */ rows, heads, precision);
        matrices.add(m);
        return m;
    }

    /// A matrix of which only rows are decoded, packed or not.
    private Matrix lookUp(String name, int rows, int columns) {
        PackedTensors.Entry p = packed.get(name);
        if (p != null) return stored(p, 0, rows, rows, columns, 1, precision);
        Tensor t = checked(name, columns, rows, 1);
        return kernels.matrix(t.type(), t.segment(), rows, columns, 1, Precision.EXACT);
    }

    /// Passes over the tensors whose names begin like this: for layers that take no part in computing logits.
    public void skip(String prefix) {
        for (Tensor t : file.tensors()) {
            if (!t.name().startsWith(prefix)) continue;
            used.add(t.name());
            skipped.add(t.name());
        }
    }

    /// A vector of floats, as biases and norms are.
    public float[] vector(String name, int n) {
        Tensor t = checked(name, n, 1, 1);
        float[] v = floats(n);
        if (!reads) return v;
        kernels.matrix(t.type(), t.segment(), 1, n, 1, Precision.EXACT).decodeRow(0, v, 0);
        return finite(name, v);
    }

    /// A vector of floats for each expert of a stack, one after the other.
    public float[] vectors(String name, int n, int experts) {
        if (experts == 1) return vector(name, n);
        Tensor t = checked(name, n, experts, 1);
        float[] v = floats(Math.multiplyExact(n, experts));
        if (!reads) return v;
        Matrix m = kernels.matrix(t.type(), t.segment(), experts, n, 1, Precision.EXACT);
        for (int e = 0; e < experts; e++) m.decodeRow(e, v, e * n);
        return finite(name, v);
    }

    private float[] floats(int n) {
        heapBytes += 4L * n;
        float[] v = new float[n];
        if (!reads) Arrays.fill(v, 1);
        return v;
    }

    private float[] finite(String name, float[] v) {
        for (int i = 0; i < v.length; i++) {
            if (!Float.isFinite(v[i]))
                throw new ModelFormatException(where(name) + ": expected finite numbers, found " + v[i] + " as value " + i);
        }
        return v;
    }

    /// A vector, or [#NONE] when the file has none of this name.
    public float[] findVector(String name, int n) {
        return has(name) ? vector(name, n) : NONE;
    }

    private Matrix make(String name, int rows, int columns, int experts, Precision precision) {
        PackedTensors.Entry p = packed.get(name);
        if (p != null) return stored(p, 0, rows, rows, columns, experts, precision);
        Tensor t = checked(name, columns, rows, experts);
        return add(t, 0, t.info().bytes(), rows, columns, experts, precision);
    }

    private Matrix add(Tensor t, long from, long bytes, int rows, int columns, int experts, Precision precision) {
        if ((long) rows * experts > Integer.MAX_VALUE)
            throw new UnsupportedModelException(
                    where(t.name()) + ": expected at most " + Integer.MAX_VALUE + " rows, found " + (long) rows * experts);
        Matrix m = kernels.matrix(t.type(), t.segment().asSlice(from, bytes), rows, columns, experts, precision);
        boolean onlyLookedUp = t.name().equals("token_embd.weight") && has("output.weight");
        if (!onlyLookedUp) m = placement.place(t, from, m);
        matrices.add(m);
        return m;
    }

    /// Rows of a matrix that the file holds packed.
    private Matrix stored(PackedTensors.Entry p, long from, int rows, long all, int columns, int experts, Precision precision) {
        used.add(p.stored().name());
        if (p.columns() != columns || p.rows() != all || p.experts() != experts)
            throw wrongShape(p.name(), columns, all, experts, List.of((long) p.columns(), (long) p.rows(), (long) p.experts()));
        PackedForm form = PackedFile.form(file, p, kernels, precision);
        if (from % PackedForm.ROWS != 0 || from + rows < all && rows % PackedForm.ROWS != 0)
            throw new ModelFormatException(where(p.name()) + ": rows " + from + " to " + (from + rows - 1)
                    + " cannot be cut out of packed panels of " + PackedForm.ROWS);
        long begin = from == 0 ? 0 : form.bytes((int) from, columns, 1); // less than the rows that there are
        Matrix m = form.matrix(p.type(), p.stored().segment().asSlice(begin, form.bytes(rows, columns, experts)), rows, columns, experts);
        matrices.add(m);
        return m;
    }

    private ModelFormatException wrongShape(String name, long first, long second, long third, List<Long> found) {
        String expected = third > 1 ? first + ", " + second + ", " + third : second > 1 ? first + ", " + second : "" + first;
        return new ModelFormatException(where(name) + ": expected shape [" + expected + "] by the model's parameters, found " + found);
    }

    private Tensor checked(String name, long first, long second, long third) {
        Tensor t = file.require(name);
        used.add(name);
        TensorInfo info = t.info();
        if (info.extent(0) != first || info.extent(1) != second || info.extent(2) != third || info.extent(3) != 1)
            throw wrongShape(name, first, second, third, info.shape());
        switch (t.type()) {
            case I8, I16, I32, I64, F64, Q8_1, Q8_K -> throw new UnsupportedModelException(where(name)
                    + ": type " + t.type() + " holds no weights; expected a float or a quantised weight type");
            default -> {
            }
        }
        return t;
    }

    /// Refuses a file with tensors that nobody asked for: a model that is computed without some of its weights gives wrong numbers.
    ///
    /// @throws UnsupportedModelException there are some, which the message names
    public void requireAllUsed() {
        List<String> unused = new ArrayList<>();
        for (Tensor t : file.tensors()) if (!used.contains(t.name()) && !IGNORED.matcher(t.name()).matches()) unused.add(t.name());
        if (unused.isEmpty()) return;
        throw new UnsupportedModelException(file.paths().getFirst() + ": tensor " + shown(unused.getFirst()) + (unused.size()
                > 1 ? " and " + (unused.size() - 1)
                        + " more" : "")
                + ": the architecture does not use it, so that the model would be computed wrongly");
    }

    private String where(String name) {
        return file.paths().getFirst() + ": tensor " + name;
    }

    /// A name from the file, which may be anything, fit for a message.
    private static String shown(String name) {
        return MetadataValue.of(MetadataType.STRING, name).toString();
    }
}
