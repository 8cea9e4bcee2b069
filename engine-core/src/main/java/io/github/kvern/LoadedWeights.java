package io.github.kvern;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.engine.layer.Copies;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.layer.PackedFile;
import io.github.kvern.engine.layer.Packing;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.TensorReader;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import io.github.kvern.kernels.WarmUp;
import io.github.kvern.kernels.Workers;
import java.lang.foreign.Arena;

/// A model's parameters and weights, held as the options say.
///
/// @param bytes off the heap: packed weights, and copies of what is not used as it is in the file
/// @param memory owns them; to be closed when nothing computes any more
record LoadedWeights(Decoder decoder, Weights weights, WeightsInfo info, long bytes, Arena memory) implements AutoCloseable {
    /// With [WeightStorage#AUTO], packed weights take at most one part in so many of the machine.
    private static final int MACHINE_SHARE = 2;
    /// Packing so many bytes, and reading what they are made from, takes long enough at each start to tell of another way.
    private static final long LONG_TO_PACK = 16L << 30;

    static LoadedWeights load(GgufFile file, Kernels kernels, ModelOptions options, MemoryLimits limits, LoadSteps steps) {
        PackedFile.requireFresh(file);
        Arena memory = Arena.ofShared();
        boolean loaded = false;
        try {
            LoadedWeights weights = load(file, kernels, options, limits, steps, memory);
            loaded = true;
            return weights;
        } finally {
            if (!loaded) memory.close();
        }
    }

    /// Reads the weights as they are mapped, which tells what there is to pack, and once more when they are to be packed. Kernels are
    /// compiled meanwhile; whoever warms the model up goes on from there, and tells what was given up.
    private static LoadedWeights load(GgufFile file, Kernels kernels, ModelOptions options, MemoryLimits limits, LoadSteps steps,
            Arena memory) {
        var precision = precision(options);
        TensorType cache = cacheType(options);
        boolean mayPack = options.precision() == Precision.FAST && options.weights() != WeightStorage.MAPPED;
        Packing.Plan plan = new Packing.Plan(file.bytes(), share -> steps.at(mayPack ? 0 : share)); // packing is what takes time
        Copies copies = new Copies(memory); // made once
        Weights mapped = new Weights(file, kernels, precision, plan, copies);
        Decoder decoder = Architectures.load(file, mapped, cache);
        WeightsInfo choice = file.packed().isPresent() ? new WeightsInfo(WeightsInfo.Kind.PACKED_FILE, 0, "the file holds them packed")
                : choose(options, plan.bytes(), copies.bytes(), limits, kernels);
        if (choice.kind() != WeightsInfo.Kind.PACKED) return new LoadedWeights(decoder, mapped, choice, copies.bytes(), memory);
        try (TensorReader reader = file.reader();
                Workers workers = new Workers(options.threads());
                WarmUp _ = kernels.warmUp(plan.asIfPacked(mapped.matrices()), given -> {})) { // what is given up is told later
            Packing packing = new Packing(reader, memory, workers, plan, steps::at);
            Weights packed = new Weights(file, kernels, precision, packing, copies);
            decoder = Architectures.load(file, packed, cache);
            WeightsInfo info = new WeightsInfo(WeightsInfo.Kind.PACKED, packing.bytes(), choice.reason());
            return new LoadedWeights(decoder, packed, info, packing.bytes() + copies.bytes(), memory);
        }
    }

    /// How keys and values are stored.
    static TensorType cacheType(ModelOptions options) {
        return options.kvType() == KvType.F32 ? TensorType.F32 : TensorType.F16;
    }

    /// How products are computed.
    static io.github.kvern.kernels.Precision precision(ModelOptions options) {
        return switch (options.precision()) {
            case EXACT -> io.github.kvern.kernels.Precision.EXACT;
            case FAST -> options.reproducible() ? io.github.kvern.kernels.Precision.REPRODUCIBLE : io.github.kvern.kernels.Precision.FAST;
        };
    }

    /// Decides from sizes alone.
    ///
    /// @param bytes that packing would take
    /// @param copies bytes that copies take in any case
    static WeightsInfo choose(ModelOptions options, long bytes, long copies, MemoryLimits limits, Kernels kernels) {
        WeightStorage asked = options.weights();
        if (asked == WeightStorage.MAPPED) return mapped("asked for");
        if (bytes == 0) {
            return mapped(options.precision() == Precision.EXACT ? "exact products read the weights as in the file"
                    : kernels.name().equals("scalar") ? "scalar kernels read the weights as in the file"
                            : "no weight is of a type with a packed form");
        }
        if (asked == WeightStorage.PACKED) {
            if (bytes <= limits.smaller() - copies) return new WeightsInfo(WeightsInfo.Kind.PACKED, bytes, "asked for");
            throw new MemoryBudgetException("packed weights need " + bytes + " bytes, available are "
                    + Math.max(0, limits.smaller() - copies) + " (" + limits.smallerName()
                    + (copies == 0 ? "" : ", less " + copies + " bytes of copies that are needed in any case")
                    + "): leave them mapped (--weights mapped, ModelOptions.weights)"
                    + (limits.direct() < limits.machine() ? ", or raise -XX:MaxDirectMemorySize" : ""));
        }
        String packed = "packed they take " + megabytes(bytes) + (copies == 0 ? "" : " and copies " + megabytes(copies));
        if (bytes + copies > limits.machine() / MACHINE_SHARE)
            return mapped(packed + ", more than half of the memory of " + megabytes(limits.machine())
                    + ": 'kvern repack' writes them packed into a file, which is mapped");
        if (bytes + copies > limits.direct() / 4 * 3)
            return mapped(packed + ", more than three quarters of the " + megabytes(limits.direct())
                    + " that the JVM may take off the heap: raise -XX:MaxDirectMemorySize");
        if (options.cacheBytes() > limits.smaller() - bytes - copies)
            return mapped(packed + ", which leaves no room for a cache of " + megabytes(options.cacheBytes()));
        return new WeightsInfo(WeightsInfo.Kind.PACKED, bytes,
                packed + ", at most half of the memory of " + megabytes(limits.machine())
                        + (bytes < LONG_TO_PACK ? "" : "; 'kvern repack' packs them once, into a file, and not at each start"));
    }

    private static WeightsInfo mapped(String reason) {
        return new WeightsInfo(WeightsInfo.Kind.MAPPED, 0, reason);
    }

    private static String megabytes(long bytes) {
        return Math.ceilDiv(bytes, 1L << 20) + " MiB";
    }

    /// The kernels that the weights were made for.
    Kernels kernels() {
        return weights.kernels();
    }

    /// Gives the memory back.
    @Override
    public void close() {
        memory.close();
    }
}
