package io.github.kvern.engine.run;

import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.MoeFfn;
import io.github.kvern.gguf.Residency;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.moe.ExpertPages;
import io.github.kvern.moe.Experts;
import io.github.kvern.moe.MoeLayer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// Asks for the pages of the experts that a layer has chosen, on a thread of its own, while the layer computes: the disk then reads all
/// of them at once, and not what the workers happen to look at next. Where the system can be asked it is told; otherwise the thread
/// touches the pages itself. What is asked for is a matter of speed alone: requests that do not find room are left out.
public final class ExpertPager implements AutoCloseable {
    /// Names the [Manner] that [#choose] is to choose.
    public static final String PROPERTY = "kvern.experts";
    /// Requests that may wait: a power of two.
    private static final int ROOM = 1 << 12;
    /// A layer asks for at most one part in so many of the machine: pages read too early would be dropped before they are used.
    private static final int MACHINE_SHARE = 8;

    /// When an expert is asked for.
    public enum Manner {
        /// Never.
        NEVER,
        /// When it is chosen for the first time: then it stays in the system's cache, since there is room for all.
        FIRST,
        /// Whenever it is chosen.
        ALWAYS
    }

    private final Manner manner;
    private final Residency residency;
    private final long most;
    private final List<Layer> layers = new ArrayList<>();
    private final long[] requests = new long[ROOM]; // layer, expert, and whether it is the way down
    private final AtomicLong asked = new AtomicLong(), taken = new AtomicLong();
    private final Thread thread;
    private volatile boolean resting, closed;

    /// Begins to listen to a model's mixture layers.
    ///
    /// @param manner not [Manner#NEVER]
    /// @param machineBytes memory of the machine
    public ExpertPager(Decoder decoder, Manner manner, long machineBytes, Residency residency) {
        this.manner = manner;
        this.residency = residency;
        most = machineBytes / MACHINE_SHARE;
        for (int i = 0; i < decoder.layers().size(); i++)
            if (decoder.layers().get(i).ffn() instanceof MoeFfn f && isRead(f.layer().experts())) layers.add(new Layer(i, f.layer()));
        thread = new Thread(this::read, "kvern-pages");
        thread.setDaemon(true);
        thread.start();
        for (Layer layer : layers) layer.mixture.tell(layer);
    }

    /// What suits a model and a machine: it follows from sizes alone. The system property [#PROPERTY] forces it.
    ///
    /// @param fileBytes of the model
    public static Manner choose(Decoder decoder, long fileBytes, long machineBytes) {
        boolean any = decoder.layers().stream().anyMatch(l -> l.ffn() instanceof MoeFfn f && isRead(f.layer().experts()));
        if (!any) return Manner.NEVER;
        String forced = System.getProperty(PROPERTY, "");
        for (Manner m : Manner.values()) if (m.name().equalsIgnoreCase(forced)) return m;
        return fileBytes / 3 > machineBytes / 4 ? Manner.ALWAYS : Manner.FIRST; // more than three quarters
    }

    /// Whether products read these from a file.
    private static boolean isRead(Experts e) {
        return parts(e).allMatch(m -> m.memory(0).isPresent());
    }

    private static Stream<Matrix> parts(Experts e) {
        return Stream.of(e.gate(), e.up(), e.down());
    }

    /// When experts are asked for.
    public Manner manner() {
        return manner;
    }

    /// Bytes of an expert that were not in memory when it was asked for, since the model was loaded; empty when nobody looked.
    public OptionalLong missedBytes(int layer, int expert) {
        if (residency.isNative()) for (Layer l : layers) if (l.number == layer) return OptionalLong.of(l.missed.get(expert));
        return OptionalLong.empty();
    }

    /// Bytes of all experts that were not in memory when they were asked for, since the model was loaded; empty when nobody looked.
    public OptionalLong missedBytes() {
        if (!residency.isNative()) return OptionalLong.empty();
        long sum = 0;
        for (Layer l : layers) for (int e = 0; e < l.missed.length(); e++) sum += l.missed.get(e);
        return OptionalLong.of(sum);
    }

    private final class Layer implements ExpertPages {
        final int number;
        final MoeLayer mixture;
        final MemorySegment[] memory; // gate, up and down of each expert
        final AtomicLongArray missed;
        final boolean[] known;
        final int index;

        Layer(int number, MoeLayer mixture) {
            this.number = number;
            this.mixture = mixture;
            index = layers.size();
            Experts e = mixture.experts();
            memory = new MemorySegment[3 * e.count()];
            for (int i = 0; i < e.count(); i++) {
                memory[3 * i] = e.gate().memory(i).orElseThrow();
                memory[3 * i + 1] = e.up().memory(i).orElseThrow();
                memory[3 * i + 2] = e.down().memory(i).orElseThrow();
            }
            missed = new AtomicLongArray(e.count());
            known = new boolean[e.count()];
        }

        /// In the order in which the layer reads: the ways up of all, then the ways down.
        @Override
        public void wanted(int[] experts, int count) {
            long bytes = 0;
            int number = 0;
            for (; number < count && bytes < most; number++) bytes += bytes(experts[number]);
            boolean any = false;
            for (int i = 0; i < number; i++) any |= !(manner == Manner.FIRST && known[experts[i]]) && ask(experts[i], 0);
            for (int i = 0; i < number && any; i++) {
                if (!(manner == Manner.FIRST && known[experts[i]])) ask(experts[i], 1);
                known[experts[i]] = true;
            }
            if (any && resting) LockSupport.unpark(thread);
        }

        private long bytes(int expert) {
            return memory[3 * expert].byteSize() + memory[3 * expert + 1].byteSize() + memory[3 * expert + 2].byteSize();
        }

        private boolean ask(int expert, int down) {
            long at = asked.getPlain(); // the driver alone asks
            if (at - taken.get() >= ROOM) return false;
            requests[(int) at & ROOM - 1] = (long) index << 33 | (long) expert << 1 | down;
            asked.set(at + 1);
            return true;
        }

        void read(int expert, boolean down) {
            for (int part = down ? 2 : 0; part < (down ? 3 : 2); part++) {
                MemorySegment s = memory[3 * expert + part];
                if (residency.isNative()) {
                    long there = residency.residentBytes(s).orElse(s.byteSize());
                    missed.getAndAdd(expert, s.byteSize() - there);
                    residency.advise(s, Residency.Advice.WILL_NEED); // in any case: not everybody is told what is there
                } else if (s.isMapped()) {
                    s.load();
                }
            }
        }
    }

    private void read() {
        try {
            while (!closed) {
                long at = taken.getPlain();
                if (at == asked.get()) {
                    resting = true;
                    if (at == asked.get() && !closed) LockSupport.park(this);
                    resting = false;
                    continue;
                }
                long request = requests[(int) at & ROOM - 1];
                taken.set(at + 1);
                layers.get((int) (request >>> 33)).read((int) request >>> 1, (request & 1) != 0);
            }
        } catch (InternalError e) {
            return; // the file was cut short: who computes with it says so
        }
    }

    /// Ends the thread: before the file is unmapped.
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        Waiting.forEnd(thread);
    }
}
