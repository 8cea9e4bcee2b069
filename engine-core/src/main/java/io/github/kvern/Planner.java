package io.github.kvern;

import io.github.kvern.engine.arch.Architectures;
import io.github.kvern.engine.layer.Copies;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.layer.Packing;
import io.github.kvern.engine.layer.Parameters;
import io.github.kvern.engine.layer.Placement;
import io.github.kvern.engine.layer.PlannedWeights;
import io.github.kvern.engine.layer.StepRoom;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kernels.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Works a [MemoryPlan] out: puts the model together as loading does, with weights that are not read, and asks what came of it how
/// large it is.
final class Planner {
    /// Every page of a conversation is counted.
    private static final int LONGEST_CONTEXT = 1 << 24;

    private final GgufFile file;
    private final ModelOptions options;
    private final Kernels kernels;
    private final MemoryPlan.Machine machine;
    private final MemoryLimits limits;
    private final TensorType cache;
    private Optional<String> refusal = Optional.empty();

    Planner(GgufFile file, ModelOptions options, Kernels kernels, MemoryPlan.Machine machine) {
        this.file = file;
        this.options = options;
        this.kernels = kernels;
        this.machine = machine;
        limits = new MemoryLimits(machine.memory(), machine.offHeap());
        cache = LoadedWeights.cacheType(options);
    }

    /// @param lockedExperts bytes
    MemoryPlan plan(GeneratorOptions conversation, long lockedExperts) {
        Packing.Plan packing = new Packing.Plan(file.bytes(), share -> {
        });
        Copies copies = Copies.counted();
        Architectures.load(file, unread(packing, copies), cache);
        WeightsInfo info = choose(packing.bytes(), copies.bytes());
        PlannedWeights placed = new PlannedWeights(info.kind() == WeightsInfo.Kind.PACKED ? Optional.of(packing) : Optional.empty());
        Weights weights = unread(placed, copies);
        Decoder decoder = Architectures.load(file, weights, cache);
        String architecture = file.metadata().requireString("general.architecture");
        int context = conversation.length(file.metadata().requireInt(architecture + ".context_length"));
        if (context > LONGEST_CONTEXT)
            throw new IllegalArgumentException("a plan is made for a context of at most " + LONGEST_CONTEXT + " tokens, found " + context);
        MemoryPlan.Weights held = new MemoryPlan.Weights(file.bytes(), info, shares(placed, weights), copies.bytes(),
                weights.heapBytes());
        Scratch scratch = (length, rows) -> StepRoom.heapBytes(decoder, kernels, file, length, rows);
        String name = file.metadata().findString("general.name").orElse(file.paths().getFirst().getFileName().toString());
        long mappedMatrices = weights.matrices().stream().flatMap(m -> m.memory().stream()).distinct().filter(MemorySegment::isMapped)
                .mapToLong(MemorySegment::byteSize).sum() - placed.replacedBytes();
        Locks locks = new Locks(options.loadMode() == LoadMode.LOCK, held.mappedBytes() - mappedMatrices, lockedExperts, held,
                machine.lockable());
        Fit fit = new Fit(options, limits, machine, held, decoder.cacheGroups(), scratch, refusal, locks);
        Fit.Case asPlanned = fit.asPlanned(context);
        MemoryPlan.Verdict verdict = fit.verdict(asPlanned);
        return new MemoryPlan(name, architecture, options, context, held, fit.cache(context), new MemoryPlan.Buffers(asPlanned.scratch()),
                locks.mappedBytes(asPlanned), machine, verdict, fit.reason(asPlanned), fit.remedies(asPlanned, context));
    }

    /// Bytes of a step's buffers.
    @FunctionalInterface
    interface Scratch {
        /// @param context of the conversation
        /// @param rows the most of a step
        long bytes(int context, int rows);
    }

    private Weights unread(Placement placement, Copies copies) {
        return Weights.unread(file, kernels, LoadedWeights.precision(options), placement, copies);
    }

    private WeightsInfo choose(long packable, long copies) {
        if (file.packed().isPresent()) return new WeightsInfo(WeightsInfo.Kind.PACKED_FILE, 0, "the file holds them packed");
        try {
            return LoadedWeights.choose(options, packable, copies, limits, kernels);
        } catch (MemoryBudgetException e) {
            refusal = Optional.of(String.valueOf(e.getMessage()));
            return new WeightsInfo(WeightsInfo.Kind.PACKED, packable, "asked for");
        }
    }

    private record Kind(MemoryPlan.Part part, TensorType type) implements Comparable<Kind> {
        @Override
        public int compareTo(Kind o) {
            return part != o.part ? part.compareTo(o.part) : type.compareTo(o.type);
        }
    }

    private List<MemoryPlan.Share> shares(PlannedWeights placed, Weights weights) {
        Parameters p = Parameters.read(file);
        boolean tied = !weights.has("output.weight");
        Map<String, PackedTensors.Entry> stored = new HashMap<>();
        file.packed().ifPresent(all -> all.entries().values().forEach(e -> stored.put(e.stored().name(), e)));
        Map<Kind, MemoryPlan.Share> shares = new TreeMap<>();
        for (Tensor t : file.tensors()) {
            PackedTensors.Entry entry = stored.get(t.name());
            String name = entry == null ? t.name() : entry.name();
            MemoryPlan.Part part = weights.uses(t.name()) ? part(name) : MemoryPlan.Part.UNUSED;
            TensorType type = entry == null ? t.type() : entry.type();
            long file = t.info().bytes(), packed = placed.packedBytes(name);
            long mapped = part == MemoryPlan.Part.UNUSED ? 0 : file - placed.replacedBytes(name);
            long read = entry == null ? placed.productBytes(name) : file;
            long active = switch (part) {
                case UNUSED -> 0;
                case ROUTED_EXPERTS -> read / Math.max(1, p.experts()) * p.expertsUsed();
                case EMBEDDING -> tied ? read : type.rowBytes(t.info().extent(0));
                default -> read;
            };
            shares.merge(new Kind(part, type), new MemoryPlan.Share(part, type, 1, file, mapped, packed, active), Planner::sum);
        }
        return List.copyOf(shares.values());
    }

    private static MemoryPlan.Share sum(MemoryPlan.Share a, MemoryPlan.Share b) {
        return new MemoryPlan.Share(a.part(), a.type(), a.tensors() + b.tensors(), a.fileBytes() + b.fileBytes(),
                a.mappedBytes() + b.mappedBytes(), a.packedBytes() + b.packedBytes(), a.activeBytes() + b.activeBytes());
    }

    /// By the names that all families share.
    private static MemoryPlan.Part part(String name) {
        String last = name.startsWith("blk.") ? name.substring(name.indexOf('.', 4) + 1) : name;
        if (last.contains("_norm")) return MemoryPlan.Part.NORMS;
        if (last.contains("_exps.")) return MemoryPlan.Part.ROUTED_EXPERTS;
        if (last.contains("_shexp.")) return MemoryPlan.Part.SHARED_EXPERTS;
        if (last.startsWith("attn_")) return MemoryPlan.Part.ATTENTION;
        if (last.startsWith("token_embd.")) return MemoryPlan.Part.EMBEDDING;
        if (last.startsWith("output.")) return MemoryPlan.Part.OUTPUT;
        if (last.startsWith("ffn_gate_inp.")) return MemoryPlan.Part.OTHER;
        return last.startsWith("ffn_") ? MemoryPlan.Part.DENSE : MemoryPlan.Part.OTHER;
    }
}
