package io.github.kvern.engine.run;

import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.MoeFfn;
import io.github.kvern.gguf.PieceReader;
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
import org.jspecify.annotations.Nullable;

/// Brings in the pages of the experts that a layer has chosen, on threads of its own, while the layer computes: the disk then has much to
/// do at once, reads what is needed and nothing beside it, and in the order in which the layer looks at it. Where the system cannot be
/// asked, one thread touches the pages. What is asked for is a matter of speed alone: requests that do not find room are left out.
public final class ExpertPager implements AutoCloseable {
    /// Names the [Manner] that [#choose] is to choose.
    public static final String PROPERTY = "kvern.experts";
    /// Threads that wait for the disk. Four of them, with 2 MB each, are enough for it to be busy: see docs/experts.md.
    private static final int READERS = 4;
    /// Requests that may wait: a power of two.
    private static final int ROOM = 1 << 12;
    /// Bits of the number of a piece within its request.
    private static final int PIECE_BITS = 20;
    /// A layer asks for at most one part in so many of the machine: pages read too early would be dropped before they are used.
    private static final int MACHINE_SHARE = 8;
    private static final int PARTS = 3; // gate, up and down

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
    private final int[] requests = new int[ROOM]; // the number of a part of an expert, counted through all layers
    private final AtomicLong asked = new AtomicLong(); // requests
    private final AtomicLong next = new AtomicLong(); // what is to be read: a request, and a piece of it
    private final List<Reader> readers = new ArrayList<>();
    private final @Nullable PieceReader looks; // the driver's
    private volatile boolean closed;

    /// Begins to listen to a model's mixture layers.
    ///
    /// @param manner not [Manner#NEVER]
    /// @param machineBytes memory of the machine
    public ExpertPager(Decoder decoder, Manner manner, long machineBytes, Residency residency) {
        this.manner = manner;
        this.residency = residency;
        most = machineBytes / MACHINE_SHARE;
        boolean large = residency.isNative();
        int first = 0;
        for (int i = 0; i < decoder.layers().size(); i++) {
            if (!(decoder.layers().get(i).ffn() instanceof MoeFfn f) || !isRead(f.layer().experts())) continue;
            Layer layer = new Layer(i, f.layer(), first);
            layers.add(layer);
            first += layer.memory.length;
            for (Matrix m : parts(f.layer().experts()).toList())
                for (MemorySegment s : m.memory()) large &= PieceReader.prepare(residency, s);
        }
        looks = residency.isNative() ? new PieceReader(residency, large) : null;
        for (int i = 0; i < (residency.isNative() ? READERS : 1); i++)
            readers.add(new Reader(i, residency.isNative() ? new PieceReader(residency, large) : null));
        for (Reader r : readers) r.thread.start();
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
        final int first; // number of the first part
        final MemorySegment[] memory; // gate, up and down of each expert
        final AtomicLongArray missed;
        final boolean[] known;

        Layer(int number, MoeLayer mixture, int first) {
            this.number = number;
            this.mixture = mixture;
            this.first = first;
            Experts e = mixture.experts();
            memory = new MemorySegment[PARTS * e.count()];
            for (int i = 0; i < e.count(); i++) {
                memory[PARTS * i] = e.gate().memory(i).orElseThrow();
                memory[PARTS * i + 1] = e.up().memory(i).orElseThrow();
                memory[PARTS * i + 2] = e.down().memory(i).orElseThrow();
            }
            missed = new AtomicLongArray(e.count());
            known = new boolean[e.count()];
        }

        /// Looks which of them seem to be in memory, and asks for the others first, in the order in which they will be computed.
        @Override
        public void wanted(int[] experts, int count, boolean[] there) {
            for (int i = 0; i < count; i++) there[i] = isThere(experts[i]);
            long bytes = 0;
            boolean any = false;
            for (int i = 0; i < 2 * count && bytes < most; i++) {
                boolean second = i >= count; // then those that are there, of which a page of each part was looked at
                int at = second ? i - count : i, expert = experts[at];
                if (there[at] != second) continue;
                bytes += bytes(expert);
                if (manner == Manner.FIRST && known[expert]) continue;
                for (int part = 0; part < PARTS; part++) any |= ask(first + PARTS * expert + part);
                known[expert] = true;
            }
            if (any) wakeOne();
        }

        private boolean isThere(int expert) {
            PieceReader looks = ExpertPager.this.looks;
            if (looks == null || manner == Manner.FIRST && known[expert]) return true;
            for (int part = 0; part < PARTS; part++) if (!looks.seemsResident(memory[PARTS * expert + part])) return false;
            return true;
        }

        private long bytes(int expert) {
            long sum = 0;
            for (int part = 0; part < PARTS; part++) sum += memory[PARTS * expert + part].byteSize();
            return sum;
        }
    }

    /// By the driver alone.
    private boolean ask(int part) {
        long at = asked.getPlain();
        if (at - (next.get() >>> PIECE_BITS) >= ROOM) return false;
        requests[(int) at & ROOM - 1] = part;
        asked.set(at + 1);
        return true;
    }

    private void wakeOne() {
        for (Reader r : readers) {
            if (!r.resting) continue;
            r.resting = false;
            LockSupport.unpark(r.thread);
            return;
        }
    }

    /// One of those who wait for the disk.
    private final class Reader implements Runnable {
        final Thread thread;
        final @Nullable PieceReader pieces;
        volatile boolean resting;

        Reader(int number, @Nullable PieceReader pieces) {
            this.pieces = pieces;
            thread = new Thread(this, "kvern-pages-" + number);
            thread.setDaemon(true);
        }

        @Override
        public void run() {
            try {
                while (!closed) if (!readOne()) rest();
            } catch (InternalError e) {
                return; // the file was cut short: who computes with it says so
            }
        }

        private void rest() {
            resting = true;
            if (next.get() >>> PIECE_BITS == asked.get() && !closed) LockSupport.park(this);
            resting = false;
        }

        /// Takes the next piece that nobody has taken, and reads it.
        private boolean readOne() {
            while (true) {
                long at = next.get(), request = at >>> PIECE_BITS;
                if (request == asked.get()) return false;
                int part = requests[(int) request & ROOM - 1]; // if the driver overwrites it meanwhile, somebody else has taken it
                Layer layer = layer(part);
                MemorySegment memory = layer.memory[part - layer.first];
                int piece = (int) (at & (1 << PIECE_BITS) - 1), count = pieces == null ? 1 : PieceReader.pieces(memory);
                if (!next.compareAndSet(at, piece + 1 < count ? at + 1 : request + 1 << PIECE_BITS)) continue;
                if (pieces == null) {
                    if (memory.isMapped()) memory.load();
                } else {
                    wakeOne(); // each wakes the next, as long as there is something to do
                    layer.missed.getAndAdd((part - layer.first) / PARTS, pieces.read(memory, piece));
                }
                return true;
            }
        }
    }

    private Layer layer(int part) {
        int i = 0;
        while (i + 1 < layers.size() && layers.get(i + 1).first <= part) i++;
        return layers.get(i);
    }

    /// Ends the threads: before the file is unmapped.
    @Override
    public void close() {
        closed = true;
        for (Reader r : readers) LockSupport.unpark(r.thread);
        for (Reader r : readers) Waiting.forEnd(r.thread);
    }
}
