package io.github.kvern.jmh;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Layout;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Precision;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Products as a model runs them: one region for each matrix of the set, activations prepared anew each time.
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "-Xmx3g"})
public class ProductBenchmark {
    /// What is multiplied: its shape and how many there are. The small set stays in a core's second-level cache with every type but
    /// the widest; the large one is several hundred megabytes.
    public enum Shape {
        /// One matrix of a million weights.
        CACHE(1024, 1024, 1),
        /// Sixteen matrices of sixteen million weights.
        MEMORY(4096, 4096, 16);

        final int rows;
        final int columns;
        final int matrices;

        Shape(int rows, int columns, int matrices) {
            this.rows = rows;
            this.columns = columns;
            this.matrices = matrices;
        }
    }

    @Param({"Q4_K", "Q5_K", "Q6_K", "Q8_0", "Q4_0", "F16", "BF16", "F32"})
    public TensorType type;

    @Param({"CACHE", "MEMORY"})
    public Shape shape;

    @Param({"1", "4", "8", "32", "64", "512"})
    public int n;

    @Param("FAST")
    public Precision precision;

    /// PACKED where the type has that layout, else nothing is measured.
    @Param({"MAPPED", "PACKED"})
    public Layout layout;

    @Param("1")
    public int threads;

    private final Arena arena = Arena.ofShared();
    private Workers workers;
    private Region region;
    private Matrix[] weights;
    private Activation x;
    private float[] out;

    /// Rates in units that kernels are compared in. Bytes are the file's, whatever the layout.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public double gigaMultiplyAdds;
        public double gigabytes;

        /// Counts from zero in each iteration.
        @Setup(Level.Iteration)
        public void reset() {
            gigaMultiplyAdds = 0;
            gigabytes = 0;
        }
    }

    /// Makes the weights.
    @Setup
    public void setUp() {
        workers = new Workers(threads);
        region = new Region(workers);
        long bytes = type.rowBytes(shape.columns) * shape.rows;
        MemorySegment all = SampleWeights.of(type, bytes * shape.matrices, arena);
        weights = new Matrix[shape.matrices];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Kernels.best().matrix(type, all.asSlice(i * bytes, bytes), shape.rows, shape.columns, 1, precision);
            if (layout == Layout.PACKED) weights[i] = weights[i].packed(arena, workers);
            if (weights[i].layout() != layout) throw new IllegalStateException(type + " has no layout " + layout);
        }
        x = new Activation(shape.columns, n);
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < n * shape.columns; i++) x.values()[i] = (float) random.nextGaussian();
        out = new float[n * shape.rows];
    }

    /// Ends the threads and frees the weights.
    @TearDown
    public void tearDown() {
        workers.close();
        arena.close();
    }

    /// All matrices times the columns, one region each.
    @Benchmark
    public float[] products(Rates rates) {
        for (Matrix w : weights) {
            x.reset(n);
            region.multiply(w, x, out, 0, shape.rows);
            region.run();
        }
        rates.gigaMultiplyAdds += 1e-9 * shape.rows * shape.columns * n * weights.length;
        rates.gigabytes += 1e-9 * type.rowBytes(shape.columns) * shape.rows * weights.length;
        return out;
    }
}
