package io.github.kvern.kernels;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.kernels.scalar.Decoders;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// The one door: picks the implementation once, and says its name and why.
///
/// The system property `kvern.kernels` forces a choice: `scalar`, or at most this many bits: `512`, `256`, `128`.
public final class Kernels {
    private static final String PROPERTY = "kvern.kernels";
    /// Multiply-adds that plain loops are through with in a fraction of a second.
    private static final long SMALL = 50_000_000;
    /// What the compiler takes for the kernels of a model, several times over.
    private static final long WAIT_NANOS = 10_000_000_000L;
    private static final String FLAG = "--add-modules jdk.incubator.vector";

    private final String name;
    private final String reason;
    private final Optional<String> warning;
    private final boolean vectors;
    private final Ops ops;
    private final AttentionOps attention;

    private Kernels(int bits, String reason, Optional<String> warning) {
        vectors = bits >= 128;
        name = vectors ? "vector" + bits : "scalar";
        this.reason = reason;
        this.warning = warning;
        ops = vectors ? VectorKernels.ops() : new Ops();
        attention = vectors ? VectorKernels.attention() : new AttentionOps();
    }

    private static final class Holder {
        static final Kernels BEST = choose();
    }

    /// The fastest kernels that this JVM can run.
    public static Kernels best() {
        return Holder.BEST;
    }

    private static Kernels choose() {
        String forced = System.getProperty(PROPERTY, "");
        if (forced.equals("scalar")) return new Kernels(0, "forced by -D" + PROPERTY + "=scalar", Optional.empty());
        if (!Machine.hasVectorModule())
            return scalar("the module jdk.incubator.vector is missing", "start java with " + FLAG);
        Optional<String> problem = Machine.compilerIsMissing();
        if (problem.isPresent()) return scalar(problem.get(), "remove that option");
        int bits = VectorKernels.bits();
        if (bits < 128)
            return scalar("this machine or this JVM has no vectors of 128 bits or more",
                    "check -XX:UseAVX, -XX:UseSSE and -XX:MaxVectorSize");
        boolean known = forced.isEmpty() || forced.equals("512") || forced.equals("256") || forced.equals("128");
        String found = bits + " bits";
        if (forced.equals(String.valueOf(bits))) return new Kernels(bits, found + ", forced by -D" + PROPERTY, Optional.empty());
        if (forced.isEmpty()) return new Kernels(bits, found + " is this JVM's preferred width", Optional.empty());
        String ignored = "-D" + PROPERTY + "=" + forced
                + (known ? " asks for more bits than this JVM has" : " is none of scalar, 512, 256 and 128") + ", so " + found + " it is";
        return new Kernels(bits, ignored, Optional.of(ignored));
    }

    private static Kernels scalar(String problem, String advice) {
        return new Kernels(0, problem, Optional.of("computing without vectors, ten times slower or worse: " + problem + "; " + advice));
    }

    /// `vector512`, `vector256`, `vector128` or `scalar`.
    public String name() {
        return name;
    }

    /// Why these kernels, in one line.
    public String reason() {
        return reason;
    }

    /// What slows this JVM down and how to mend it (the vector module is missing; no optimising compiler), in one line.
    public Optional<String> warning() {
        return warning;
    }

    /// Makes a weight handle over the bytes of a tensor, as in the file.
    ///
    /// @param rows of one expert; `experts * rows * type.rowBytes(columns)` must be the segment's size
    /// @param columns a multiple of the type's block length
    /// @throws IllegalArgumentException when the shape is impossible or the segment is not of its size
    /// @throws UnsupportedModelException when the type holds no weights
    public Matrix matrix(TensorType type, MemorySegment segment, int rows, int columns, int experts, Precision precision) {
        if (!Decoders.isWeight(type))
            throw new UnsupportedModelException(
                    "a matrix of type " + type + ": expected F32, F16, BF16 or a quantised type; re-convert the model");
        if (rows < 1 || columns < 1 || experts < 1 || columns % type.blockLength() != 0)
            throw new IllegalArgumentException("a " + type + " matrix of " + experts + " x " + rows + " x " + columns
                    + ": expected at least 1 of each, columns in whole blocks of " + type.blockLength());
        long all = (long) rows * experts;
        if (all > Integer.MAX_VALUE || segment.byteSize() % all != 0 || segment.byteSize() / all != type.rowBytes(columns))
            throw new IllegalArgumentException("a " + type + " matrix of " + experts + " x " + rows + " x " + columns + " in "
                    + segment.byteSize() + " bytes: expected " + all + " rows of " + type.rowBytes(columns));
        if (!vectors) return new Matrix(type, segment, rows, columns, experts, ScalarMatMul.KERNEL, null, null);
        PackedMatMul packing = precision == Precision.EXACT ? null : VectorKernels.packing(type);
        return new Matrix(type, segment, rows, columns, experts, VectorKernels.matMul(type, precision), packing, null);
    }

    /// Begins to compile, in the background, what products with these matrices need. The compiler takes vector code in hand only after
    /// some thousand runs, and before that it is slower than plain loops by a factor of hundreds: until it is compiled, products are
    /// computed in plain loops, with the same bits; with large matrices they rather wait for some seconds, since that takes less. With small
    /// ones the processors are left to a first short prompt ([WarmUp#go()] says that it is through).
    /// Whoever does not call this gets vector code at once, and pays for the beginning.
    ///
    /// Reads a little of the matrices' memory. To be closed before that memory goes away.
    ///
    /// @param warning takes a line, on another thread, when the compiler gives something up: that stays in plain loops
    public WarmUp warmUp(Collection<Matrix> matrices, Consumer<String> warning) {
        long once = 0; // multiply-adds of a column with each matrix
        for (Matrix w : matrices) once += (long) w.rows() * w.columns();
        return new WarmUp(vectors ? VectorKernels.exercises(matrices, ops, attention) : List.of(), warning, WarmUp.PATIENCE_NANOS,
                once > SMALL ? 0 : WarmUp.DELAY_NANOS, once > SMALL ? WAIT_NANOS : 0);
    }

    /// What is not a matrix.
    public Ops ops() {
        return ops;
    }

    /// The inner loops of attention.
    public AttentionOps attention() {
        return attention;
    }
}
