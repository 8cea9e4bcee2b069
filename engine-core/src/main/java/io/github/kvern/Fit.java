package io.github.kvern;

import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.layer.StepRoom;
import io.github.kvern.engine.run.CacheBudget;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.KvLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;

/// Holds what a model takes against what there is, as planned and with other options.
///
/// @param refusal why packed weights are refused, if they are
record Fit(ModelOptions options, MemoryLimits limits, MemoryPlan.Machine machine, MemoryPlan.Weights weights, List<KvLayout> groups,
        Planner.Scratch steps, Optional<String> refusal, Locks locks) {
    private static final int FEW_ROWS = 64;
    private static final int LEAST_CONTEXT = 64;

    /// What a way of loading takes, in bytes.
    ///
    /// @param locks whether what is to be locked is
    record Case(long packed, long mapped, long cache, long scratch, boolean locks) {
        Case mapped(long all) {
            return new Case(0, all, cache, scratch, locks);
        }

        Case cache(long bytes) {
            return new Case(packed, mapped, bytes, scratch, locks);
        }

        Case scratch(long bytes) {
            return new Case(packed, mapped, cache, bytes, locks);
        }

        Case unlocked() {
            return new Case(packed, mapped, cache, scratch, false);
        }
    }

    private record Finding(MemoryPlan.Verdict verdict, String reason) {
    }

    /// The options as they are.
    Case asPlanned(int context) {
        return new Case(weights.packedBytes(), weights.mappedBytes(), cacheBytes(groups, context),
                steps.bytes(context, options.microBatch()), true);
    }

    /// The cache of a conversation.
    List<MemoryPlan.CacheGroup> cache(int context) {
        List<Long> bytes = StepRoom.cacheBytes(groups, context, options.microBatch());
        List<MemoryPlan.CacheGroup> cache = new ArrayList<>();
        for (int g = 0; g < groups.size(); g++) {
            KvLayout layout = groups.get(g);
            cache.add(new MemoryPlan.CacheGroup(kind(layout), layout.layers(), layout.visible().size(), bytes.get(g)));
        }
        return cache;
    }

    private static String kind(KvLayout layout) {
        if (layout.latent()) return "latent";
        return switch (layout.visible().kind()) {
            case ALL -> "full";
            case CHUNK -> "chunked";
            case WINDOW -> "window";
        };
    }

    private long cacheBytes(List<KvLayout> layouts, int context) {
        return StepRoom.cacheBytes(layouts, context, options.microBatch()).stream().mapToLong(b -> b).sum();
    }

    MemoryPlan.Verdict verdict(Case c) {
        return find(c).verdict();
    }

    String reason(Case c) {
        return find(c).reason();
    }

    private Finding find(Case c) {
        if (refusal.isPresent() && c.packed() > 0) return fails(refusal.get());
        if (locks.refusal(c).isPresent()) return fails(locks.refusal(c).get());
        long budget;
        try {
            budget = CacheBudget.bytes(options.cacheBytes(), c.packed() + weights.ownBytes(), limits);
        } catch (MemoryBudgetException e) {
            return fails(String.valueOf(e.getMessage()));
        }
        if (c.cache() > budget)
            return fails("the conversation's cache takes " + size(c.cache()) + ", all caches together may take " + size(budget));
        long heap = c.scratch() + weights.heapBytes();
        if (heap > machine.heap())
            return fails("buffers of a step of " + options.microBatch() + " tokens take " + size(heap) + ", the JVM's heap may have "
                    + size(machine.heap()) + " (-Xmx)");
        long locked = locks.mappedBytes(c), paged = c.mapped() - locked, memory = machine.memory();
        long held = c.packed() + weights.ownBytes() + c.cache() + heap + MemoryPlan.JVM_BYTES + locked;
        if (held > memory) return fails("what cannot be paged out takes " + size(held) + ", of " + size(memory) + " of memory");
        if (held + paged <= memory)
            return new Finding(MemoryPlan.Verdict.FITS,
                    "all of it takes " + size(held + paged) + ", of " + size(memory) + " of memory");
        return new Finding(MemoryPlan.Verdict.FITS_WITH_PAGING, size(held + paged - memory) + " of mapped weights find no room beside "
                + size(held) + " that cannot be paged out, in " + size(memory) + " of memory");
    }

    private static Finding fails(String reason) {
        return new Finding(MemoryPlan.Verdict.DOES_NOT_FIT, reason);
    }

    /// Options that change the verdict for the better, each alone, or all together where none does it alone.
    List<MemoryPlan.Remedy> remedies(Case now, int context) {
        MemoryPlan.Verdict verdict = verdict(now);
        if (verdict == MemoryPlan.Verdict.FITS) return List.of();
        List<MemoryPlan.Remedy> better = new ArrayList<>();
        List<String> all = new ArrayList<>();
        Case together = now;
        if (weights.info().kind() == WeightsInfo.Kind.PACKED) {
            long mapped = weights.headerBytes()
                    + weights.shares().stream().filter(s -> s.part() != MemoryPlan.Part.UNUSED).mapToLong(MemoryPlan.Share::fileBytes)
                            .sum();
            add(better, verdict, "--weights mapped", now.mapped(mapped));
            together = together.mapped(mapped);
            all.add("--weights mapped");
        }
        if (locks.bytes(now) > 0 || locks.refusal(now).isPresent()) {
            String without = locks.all() ? "--load mmap" : "--pin-experts 0";
            add(better, verdict, without, now.unlocked());
            together = together.unlocked();
            all.add(without);
        }
        List<KvLayout> half = groups;
        if (options.kvType() == KvType.F32) {
            half = groups.stream().map(g -> new KvLayout(g.layers(), g.heads(), g.keySize(), g.valueSize(), TensorType.F16, g.visible(),
                    g.latent())).toList();
            long cache = cacheBytes(half, context);
            add(better, verdict, "--kv f16", now.cache(cache));
            together = together.cache(cache);
            all.add("--kv f16");
        }
        if (options.microBatch() > FEW_ROWS) {
            long scratch = steps.bytes(context, FEW_ROWS);
            add(better, verdict, "-ub " + FEW_ROWS, now.scratch(scratch));
            together = together.scratch(scratch);
            all.add("-ub " + FEW_ROWS);
        }
        Optional<MemoryPlan.Remedy> shorter = shorter(context, verdict,
                n -> now.cache(cacheBytes(groups, n)));
        if (shorter.isEmpty()) // perhaps it is the buffers, which take longer to work out
            shorter = shorter(context, verdict,
                    n -> now.cache(cacheBytes(groups, n)).scratch(steps.bytes(n, options.microBatch())));
        shorter.ifPresent(better::add);
        if (!better.isEmpty()) return better;
        Case rest = together;
        List<KvLayout> layouts = half;
        add(better, verdict, String.join(" ", all), rest);
        if (better.isEmpty())
            shorter(context, verdict, n -> rest.cache(cacheBytes(layouts, n)))
                    .ifPresent(r -> better.add(new MemoryPlan.Remedy((String.join(" ", all) + " " + r.option()).strip(), r.verdict())));
        return better;
    }

    private void add(List<MemoryPlan.Remedy> better, MemoryPlan.Verdict verdict, String option, Case with) {
        MemoryPlan.Verdict then = verdict(with);
        if (then.compareTo(verdict) < 0) better.add(new MemoryPlan.Remedy(option, then));
    }

    /// The longest shorter conversation, in whole pages, with which the verdict is better.
    private Optional<MemoryPlan.Remedy> shorter(int context, MemoryPlan.Verdict verdict, IntFunction<Case> with) {
        int low = 0, high = (context - 1) / LEAST_CONTEXT; // in pages: low is good enough, or 0
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (verdict(with.apply(middle * LEAST_CONTEXT)).compareTo(verdict) < 0) low = middle;
            else high = middle - 1;
        }
        if (low == 0) return Optional.empty();
        int tokens = low * LEAST_CONTEXT;
        return Optional.of(new MemoryPlan.Remedy("-c " + tokens, verdict(with.apply(tokens))));
    }

    static String size(long bytes) {
        return bytes < 10L << 30 ? String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / 1073741824.0);
    }
}
