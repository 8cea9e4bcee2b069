package io.github.kvern.jmh;

import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kernels.Region;
import io.github.kvern.kernels.Workers;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What is not a matrix, on vectors of 4096 values in the first-level cache, and a region's hand-over.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class OpsBenchmark {
    private static final int N = 4096;
    /// Large enough that the driver does not keep it to itself.
    private static final long COST = 1_000_000;

    @Param("2")
    public int threads;

    private final Ops ops = Kernels.best().ops();
    private final float[] x = new float[N];
    private final float[] y = new float[N];
    private final float[] z = new float[N];
    private Workers workers;
    private Region region;

    /// Starts the team.
    @Setup
    public void setUp() {
        for (int i = 0; i < N; i++) x[i] = y[i] = (i % 13 - 6) / 8f;
        workers = new Workers(threads);
        region = new Region(workers);
    }

    /// Ends the team.
    @TearDown
    public void tearDown() {
        workers.close();
    }

    /// 4096 values, sum in double.
    @Benchmark
    public float[] rmsNorm() {
        ops.rmsNorm(x, 0, y, z, 0, N, 1e-5f);
        return z;
    }

    /// 4096 values, with the copy that gives it the same input every time.
    @Benchmark
    public float[] swiGlu() {
        System.arraycopy(x, 0, z, 0, N);
        ops.swiGlu(z, 0, y, 0, N);
        return z;
    }

    /// 2048 pairs, with the copy.
    @Benchmark
    public float[] rotatePairs() {
        System.arraycopy(x, 0, z, 0, N);
        ops.rotatePairs(z, 0, N / 2, x, y, 0);
        return z;
    }

    /// 2048 pairs, with the copy.
    @Benchmark
    public float[] rotateHalves() {
        System.arraycopy(x, 0, z, 0, N);
        ops.rotateHalves(z, 0, N / 2, x, y, 0);
        return z;
    }

    /// A region that does nothing, shared by the team.
    @Benchmark
    public void emptyRegion() {
        region.add((from, to, scratch) -> {}, 64, COST);
        region.run();
    }
}
