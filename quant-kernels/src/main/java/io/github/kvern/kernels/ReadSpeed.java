package io.github.kvern.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;

/// Measures how fast a team reads memory: what bounds the generation of text, which reads all active weights for every token.
///
/// Every worker sums up its part of a buffer that is larger than caches are, eight longs a turn; a plain loop, which is compiled
/// at once and waits for memory as vectors do.
public final class ReadSpeed {
    private static final long LEAST_BYTES = 512L << 20;
    private static final long BYTES_A_THREAD = 64L << 20;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final long MEASURED_NANOS = 300_000_000;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private ReadSpeed() {
    }

    /// Bytes in a second, the fastest of the passes that a third of a second holds, at least two after the first.
    ///
    /// @param threads 1 or more
    /// @param mostBytes of the buffer: no more than the machine can spare
    /// @throws OutOfMemoryError when there is no such memory
    public static double measure(int threads, long mostBytes) {
        int chunks = (int) Math.max(threads, Math.min(mostBytes, Math.max(LEAST_BYTES, threads * BYTES_A_THREAD)) / CHUNK_BYTES);
        AtomicLong sum = new AtomicLong(); // is looked at, so that reading is not left out
        try (Arena arena = Arena.ofShared(); Workers workers = new Workers(threads)) {
            MemorySegment buffer = arena.allocate((long) chunks * CHUNK_BYTES, 64);
            Region region = new Region(workers);
            RangeTask fill = (from, to, scratch) -> buffer.asSlice((long) from * CHUNK_BYTES, (long) (to - from) * CHUNK_BYTES)
                    .fill((byte) 1);
            RangeTask read = (from, to, scratch) -> {
                long s = 0;
                for (int c = from; c < to; c++) s += sum(buffer.asSlice((long) c * CHUNK_BYTES, CHUNK_BYTES));
                sum.addAndGet(s);
            };
            pass(region, fill, chunks);
            pass(region, read, chunks);
            double best = 0;
            long begin = System.nanoTime();
            for (int i = 0; i < 2 || System.nanoTime() - begin < MEASURED_NANOS; i++) {
                long before = System.nanoTime();
                pass(region, read, chunks);
                best = Math.max(best, (double) chunks * CHUNK_BYTES / (System.nanoTime() - before) * 1e9);
            }
            if (sum.get() == 0) throw new AssertionError("the buffer is not what was written");
            return best;
        }
    }

    private static void pass(Region region, RangeTask task, int chunks) {
        region.add(task, chunks, CHUNK_BYTES);
        region.run();
    }

    private static long sum(MemorySegment s) {
        long a = 0, b = 0, c = 0, d = 0;
        for (int i = 0; i < CHUNK_BYTES; i += 64) {
            a += s.get(LONG, i) + s.get(LONG, i + 32);
            b += s.get(LONG, i + 8) + s.get(LONG, i + 40);
            c += s.get(LONG, i + 16) + s.get(LONG, i + 48);
            d += s.get(LONG, i + 24) + s.get(LONG, i + 56);
        }
        return a + b + c + d;
    }
}
