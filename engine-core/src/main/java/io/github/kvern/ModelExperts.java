package io.github.kvern;

import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.engine.layer.MoeFfn;
import io.github.kvern.engine.run.ExpertPager;
import io.github.kvern.engine.run.ExpertTotals;
import io.github.kvern.engine.run.Recorder;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.Residency;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.moe.ExpertUse;
import io.github.kvern.moe.Experts;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// A model's routed experts: who asks for their pages, what is known of them, and which are locked.
final class ModelExperts implements AutoCloseable {
    /// Why experts cannot be locked.
    static final String PACKED = "experts that were packed into memory cannot be locked there: load with --weights mapped";

    private final ModelInfo info;
    private final Decoder decoder;
    private final Recorder recorder;
    private @Nullable Residency residency; // costs some milliseconds, so only who needs it makes it
    private Optional<ExpertPager> pager = Optional.empty();

    ModelExperts(ModelInfo info, Decoder decoder, Recorder recorder) {
        this.info = info;
        this.decoder = decoder;
        this.recorder = recorder;
    }

    void begin(MemoryLimits memory, ExpertTotals totals) {
        if (layers().isEmpty()) return;
        ExpertPager.Manner manner = ExpertPager.choose(decoder, info.bytes(), memory.machine());
        if (manner != ExpertPager.Manner.NEVER)
            pager = Optional.of(new ExpertPager(decoder, manner, memory.machine(), residency()));
        pager.ifPresent(totals::pager);
        recorder.experts(info.name(), this::stats);
    }

    private synchronized Residency residency() {
        Residency found = residency;
        return found != null ? found : (residency = Residency.here());
    }

    private List<Integer> layers() {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < decoder.layers().size(); i++) if (decoder.layers().get(i).ffn() instanceof MoeFfn) all.add(i);
        return all;
    }

    private MoeFfn mixture(int layer) {
        return (MoeFfn) decoder.layers().get(layer).ffn();
    }

    List<ExpertStats> stats() {
        List<ExpertStats> all = new ArrayList<>();
        for (int layer : layers()) {
            Experts experts = mixture(layer).layer().experts();
            ExpertUse use = mixture(layer).layer().use();
            for (int e = 0; e < use.experts(); e++) {
                int expert = e;
                List<MemorySegment> memory = memory(experts, e);
                OptionalLong missed = pager.map(p -> p.missedBytes(layer, expert)).orElseGet(OptionalLong::empty);
                all.add(new ExpertStats(layer, e, use.tokens(e), use.uses(e), use.repeats(e), use.steps(), bytes(experts),
                        resident(memory), missed));
            }
        }
        return all;
    }

    /// Gate, up and down, if they are read from a file.
    private static List<MemorySegment> memory(Experts experts, int expert) {
        List<MemorySegment> all = new ArrayList<>();
        for (Matrix m : List.of(experts.gate(), experts.up(), experts.down())) m.memory(expert).ifPresent(all::add);
        return all;
    }

    private static long bytes(Experts e) {
        return (e.gate().bytes() + e.up().bytes() + e.down().bytes()) / e.count();
    }

    private OptionalLong resident(List<MemorySegment> memory) {
        if (memory.isEmpty()) return OptionalLong.empty();
        long sum = 0;
        for (MemorySegment s : memory) {
            OptionalLong there = residency().residentBytes(s);
            if (there.isEmpty()) return there;
            sum += there.getAsLong();
        }
        return OptionalLong.of(sum);
    }

    long pin(ExpertTrace trace, long bytes, int threads) throws InterruptedException {
        if (bytes < 0) throw new IllegalArgumentException("bytes to lock must be at least 0, found " + bytes);
        if (!trace.identity().equals(info.identity()))
            throw new IllegalArgumentException("the trace is of another model (" + trace.name() + ", " + trace.identity() + "), not of "
                    + info.name() + ", " + info.identity() + ": make one with this model");
        List<MemorySegment> memory = new ArrayList<>();
        long sum = 0;
        for (ExpertStats s : trace.hottest(bytes)) {
            if (s.layer() >= decoder.layers().size() || !(decoder.layers().get(s.layer()).ffn() instanceof MoeFfn f)
                    || s.expert() >= f.layer().experts().count())
                throw new IllegalArgumentException("the trace names expert " + s.expert() + " of layer " + s.layer()
                        + ", which the model does not have: make one with this model");
            List<MemorySegment> parts = memory(f.layer().experts(), s.expert());
            if (parts.size() < 3)
                throw new IllegalStateException(PACKED);
            for (MemorySegment part : parts) sum += part.byteSize();
            if (sum > bytes) break;
            memory.addAll(parts);
        }
        try {
            residency().lock(memory, threads, done -> {
            });
        } catch (MemoryBudgetException e) {
            throw new MemoryBudgetException(info.name() + ": experts: " + e.getMessage() + ", or lock fewer (--pin-experts)");
        } catch (UnsupportedOperationException e) {
            throw new IllegalStateException("experts cannot be locked: " + e.getMessage(), e);
        }
        return memory.stream().mapToLong(MemorySegment::byteSize).sum();
    }

    @Override
    public void close() {
        recorder.experts(info.name(), List::of);
        pager.ifPresent(ExpertPager::close);
    }
}
