package io.github.kvern.moe;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Pipeline;
import io.github.kvern.kernels.Room;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Buffers of a mixture layer's forward pass, shared by all layers of a model, which run one after the other. They grow to what the
/// largest step needs and then stay: no allocation after warm-up.
///
/// Used by one driver thread, for one layer at a time.
public final class MoeScratch {
    /// Columns of the largest group that products round up to, and segments of which most is rounded up, in groups of four or eight and
    /// with few columns rounded up or not, the one that takes most first; one is alone.
    private static final int GROUP = 8;
    private static final int[] MOST_ROUNDED_UP = {5, 7, 3, 1};

    private static final int SCORES = 0, RESULTS = 1, SHARED_RESULTS = 2;

    private final boolean counted;
    private final Room room;

    float[] scores = new float[0]; // [token][expert]
    int[] ids = new int[0]; // [token][rank]
    float[] weights = new float[0]; // [token][rank]
    int[] columns = new int[0]; // [token][rank]: where the token stands among the grouped columns
    int[] origins = new int[0]; // [column]: token * used + rank
    int[] starts = new int[0]; // [expert]: columns of experts before, then a cursor
    int[] segments = new int[0]; // [segment]: its first column, and the end
    int[] segmentExperts = new int[0]; // [segment]
    int segmentCount;
    int[] made = new int[0]; // [segment]: the gate that its inner values close
    final Pipeline line = new Pipeline();
    private long[] order = new long[0]; // segments from the one with most columns to the one with fewest
    private boolean[] there = new boolean[0]; // [place in that order]: whether its expert is in memory
    float[] results = new float[0]; // [column][width]
    float[] sharedResults = new float[0]; // [token][width]

    private final Map<Experts, Integer> settled = new IdentityHashMap<>(); // tokens that there is room for in any case

    private final List<Activation> inputs = new ArrayList<>();
    private final List<Activation> inners = new ArrayList<>();
    private final List<Activation> sharedInners = new ArrayList<>();

    /// Empty buffers.
    public MoeScratch() {
        this(false);
    }

    /// Empty buffers, perhaps without memory for what is large.
    ///
    /// @param counted whether only their size is wanted, for regions that do not compute
    public MoeScratch(boolean counted) {
        this.counted = counted;
        room = new Room(counted, Float.BYTES, Float.BYTES, Float.BYTES);
    }

    /// Bytes of all buffers.
    public long heapBytes() {
        long values = ids.length + weights.length + columns.length + origins.length + starts.length + segments.length
                + segmentExperts.length + made.length + 2L * order.length;
        long bytes = 4 * values + there.length + room.bytes();
        for (List<Activation> list : List.of(inputs, inners, sharedInners)) for (Activation a : list) bytes += a.heapBytes();
        return bytes;
    }

    /// Makes room for so many tokens.
    void reserve(int tokens, int experts, int used) {
        int chosen = Math.multiplyExact(tokens, used);
        scores = room.floats(SCORES, scores, (long) tokens * experts);
        weights = floats(weights, chosen);
        ids = ints(ids, chosen);
        columns = ints(columns, chosen);
        origins = ints(origins, chosen);
        starts = ints(starts, experts + 1);
        segments = ints(segments, experts + 1);
        segmentExperts = ints(segmentExperts, experts);
        made = ints(made, experts);
        if (order.length < experts) order = new long[experts];
        if (there.length < experts) there = new boolean[experts];
    }

    /// Makes room for whatever a step of so many tokens may choose in a layer, if that has not been done. How the chosen
    /// fall to the experts decides which forms products want them in and how much is rounded up to whole groups: without this, buffers
    /// would grow now and then long after warm-up, and nobody could tell before how large they become. Before the layer's step.
    ///
    /// @param weights that the layer's router chooses from
    /// @param used experts that a token uses
    public void settle(Experts weights, int used, int tokens) {
        if (tokens <= settled.getOrDefault(weights, 1)) return; // a single token has one way to choose
        settled.put(weights, tokens);
        int chosen = Math.multiplyExact(tokens, used), most = Math.min(weights.count(), chosen);
        input(weights.width()).reset(chosen + GROUP); // as many as any of these has, so that none of them grows it again
        inner(weights.inner()).reset(chosen + GROUP);
        for (int size : MOST_ROUNDED_UP) { // as many segments of that size as can be; what is left is the last one's
            int count = Math.clamp(chosen / size, 1, most);
            int[] boundaries = new int[count + 1];
            for (int i = 0; i < count; i++) boundaries[i] = i * size;
            boundaries[count] = count * size + Math.ceilDiv(Math.max(0, chosen - count * size), GROUP) * GROUP;
            lay(input(weights.width()), boundaries, weights.gate(), weights.up());
            lay(inner(weights.inner()), boundaries, weights.down());
        }
    }

    private void lay(Activation x, int[] boundaries, Matrix... products) {
        int count = boundaries.length - 1;
        x.reset(boundaries[count]);
        x.segment(boundaries, count);
        for (Matrix w : products) { // the first may be one of few columns, the last one of many
            line.prepare(w, x, 0, Pipeline.OPEN, Pipeline.OPEN);
            line.prepare(w, x, count - 1, Pipeline.OPEN, Pipeline.OPEN);
        }
        line.clear();
    }

    /// Groups the chosen by expert: experts ascending, and an expert's tokens ascending.
    void group(int tokens, RouterSpec spec, ExpertUse use) {
        int experts = spec.experts(), chosen = tokens * spec.used();
        for (int e = 0; e <= experts; e++) starts[e] = 0;
        for (int i = 0; i < chosen; i++) starts[ids[i] + 1]++;
        use.begin();
        segmentCount = 0;
        for (int e = 0; e < experts; e++) {
            int count = starts[e + 1];
            starts[e + 1] += starts[e];
            if (count == 0) continue;
            use.add(e, count);
            order[segmentCount] = (long) -count << 32 | segmentCount;
            segments[segmentCount] = starts[e];
            segmentExperts[segmentCount++] = e;
        }
        segments[segmentCount] = chosen;
        Arrays.sort(order, 0, segmentCount);
        for (int i = 0; i < chosen; i++) {
            int column = starts[ids[i]]++;
            columns[i] = column;
            origins[column] = i;
        }
    }

    /// Tells the chosen experts, the one with most columns first, and puts those in front that are in memory.
    ///
    /// @return how many of them are
    int tell(ExpertPages pages) {
        int[] experts = made; // gates come later
        for (int i = 0; i < segmentCount; i++) experts[i] = segmentExperts[order(i)];
        pages.wanted(experts, segmentCount, there);
        int[] away = made;
        int front = 0, back = 0;
        for (int i = 0; i < segmentCount; i++) {
            if (there[i]) order[front++] = order[i];
            else away[back++] = order(i);
        }
        for (int i = 0; i < back; i++) order[front + i] = away[i];
        return front;
    }

    /// The segment that is computed as the i-th: the one with the i-th most columns, the first of equals; after [#tell] of those in memory
    /// first, then of the others.
    int order(int i) {
        return (int) order[i];
    }

    /// The experts' inputs, grouped.
    Activation input(int width) {
        return of(inputs, width);
    }

    /// The experts' inner values, grouped.
    Activation inner(int width) {
        return of(inners, width);
    }

    /// The shared expert's inner values.
    Activation sharedInner(int width) {
        return of(sharedInners, width);
    }

    /// Makes room for this many values of the chosen experts.
    void roomForResults(long size) {
        results = room.floats(RESULTS, results, size);
    }

    /// Makes room for this many values of the shared expert.
    void roomForSharedResults(long size) {
        sharedResults = room.floats(SHARED_RESULTS, sharedResults, size);
    }

    private Activation of(List<Activation> list, int width) { // one for each width that occurs in a model
        for (Activation a : list) if (a.width() == width) return a;
        Activation a = new Activation(width, 1, counted);
        list.add(a);
        return a;
    }

    private static float[] floats(float[] buffer, int size) {
        return buffer.length >= size ? buffer : new float[size];
    }

    private static int[] ints(int[] buffer, int size) {
        return buffer.length >= size ? buffer : new int[size];
    }
}
