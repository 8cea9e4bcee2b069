package io.github.kvern.engine.run;

import io.github.kvern.StopReason;
import io.github.kvern.engine.layer.Step;
import io.github.kvern.kvcache.Sequence;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Logits at some positions of a text.
public final class ScoreJob extends Job {
    /// Bytes of logits that a step may leave waiting for the reader.
    private static final long WAITING_BYTES = 64L << 20;

    private final Sequence sequence;
    private final int[] ids;
    private final int[] positions;
    private final int vocabulary;
    private final Outbox<float[]> outbox;
    private final int wantedAtOnce;
    private int next;
    private int nextWanted;

    /// @param sequence an empty one, closed at the end
    /// @param positions ascending numbers of `ids`
    public ScoreJob(Scheduler scheduler, Sequence sequence, int[] ids, int[] positions, int vocabulary) {
        this.sequence = sequence;
        this.ids = ids;
        this.positions = positions;
        this.vocabulary = vocabulary;
        this.outbox = new Outbox<>(1, scheduler::wake);
        this.wantedAtOnce = (int) Math.max(1, WAITING_BYTES / (4L * vocabulary));
    }

    /// Where the logits come, in the order of the positions.
    public Outbox<float[]> outbox() {
        return outbox;
    }

    @Override
    Outbox<?> results() {
        return outbox;
    }

    @Override
    void begin() {
        // the sequence is new
    }

    @Override
    boolean hasRoom() {
        return outbox.hasRoom(0);
    }

    @Override
    int pending() {
        return lastNeeded() + 1 - next;
    }

    private int lastNeeded() {
        return positions[positions.length - 1];
    }

    @Override
    void fill(Step step, int rows) {
        int beyond = nextWanted + wantedAtOnce; // may be more than there are
        int limit = beyond > 0 && beyond < positions.length ? positions[beyond] : Integer.MAX_VALUE;
        int end = Math.min(next + rows, limit);
        sequence.reserve(end - next);
        int w = nextWanted;
        for (int i = next; i < end; i++) {
            boolean wants = w < positions.length && positions[w] == i;
            if (wants) w++;
            step.add(ids[i], sequence, i, wants);
        }
    }

    @Override
    void advance(int rows) {
        sequence.advance(rows);
        next += rows;
    }

    @Override
    void logits(float[] logits, int at) {
        outbox.put(Arrays.copyOfRange(logits, at, at + vocabulary));
        nextWanted++;
    }

    @Override
    void settle() {
        if (next > lastNeeded()) end(StopReason.MAX_TOKENS, null);
    }

    @Override
    StopReason flush(StopReason why) {
        return why;
    }

    @Override
    void ended(StopReason why, @Nullable RuntimeException failure) {
        // no answer: its steps are recorded
    }

    @Override
    void forget() {
        // it ends, and its sequence with it
    }

    @Override
    void free(long now) {
        sequence.close();
    }
}
