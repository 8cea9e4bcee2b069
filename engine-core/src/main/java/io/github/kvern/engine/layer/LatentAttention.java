package io.github.kvern.engine.layer;

import io.github.kvern.kernels.Activation;
import io.github.kvern.kernels.AttentionOps;
import io.github.kvern.kernels.Matrix;
import io.github.kvern.kernels.Ops;
import io.github.kvern.kvcache.LatentHeads;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.kvcache.Rows;
import java.util.List;
import java.util.Optional;

/// Multi-head latent attention: the cache keeps one latent vector and one rotated key part for each position, and the heads' own keys
/// and values follow from the latent vector by matrices (DeepSeek-V2, section 2.1). There are two ways to the same sums:
///
/// - absorbed: a query is taken into the latent space, attends there as if all heads shared one key, and what it finds is turned into
///   the head's value afterwards. Cheap for single queries.
/// - expanded: every head makes its keys and values of the cache's vectors, a block at a time, and attends to those. Cheap for many
///   queries. They differ in the last bits, so exact and reproducible arithmetic is always absorbed.
///
/// With latent vectors c of C values, head sizes N (plain), R (rotated) and V (value), for each head:
///
/// ```text
///   q = (qn [N], qp [R])          qa [C] = K^T qn       K: c -> the plain part of the head's key
///   score_j = (qa . c_j + rope(qp) . kp_j) * scale
///   value   = V (sum_j p_j c_j)
/// ```
public final class LatentAttention implements SelfAttention, LatentHeads {
    /// Sizes.
    ///
    /// @param heads query heads
    /// @param queryRank values between a query's two products, 0 for a single product
    /// @param rank C
    /// @param plainSize N
    /// @param ropeSize R
    /// @param valueSize V
    /// @param split whether K (turned over) and V are tensors of their own, `attn_k_b` and `attn_v_b`, and not rows of one `attn_kv_b`
    public record Shape(int heads, int queryRank, int rank, int plainSize, int ropeSize, int valueSize, boolean split) {
        /// Values in a head's query.
        int headSize() {
            return plainSize + ropeSize;
        }

        /// What the cache keeps of a position.
        int cached() {
            return rank + ropeSize;
        }
    }

    private static final int PACK = AttentionOps.PACK;
    /// What a multiply-add costs here, against one of making keys and values or of attending to them: measured with 64 heads of Kimi K2's
    /// sizes, Q8_0 weights, 32 to 2,048 positions. Only a choice hangs on it, and close to where both ways take the same time it hardly
    /// matters.
    private static final double ABSORBING = 2, ATTENDING_ABSORBED = 1.4;

    private final Shape shape;
    private final float scale;
    private final float eps;
    private final Rope rope;
    private final CacheGroups.Place place;
    private final Optional<Matrix> queryDown;
    private final float[] queryNorm;
    private final Matrix query;
    private final Matrix down;
    private final float[] downNorm;
    private final HeadMatrices absorb;
    private final HeadMatrices value;
    private final Matrix output;
    private final RowWork norms = this::norms;
    private final RowWork spread = this::spread;
    private final RowWork turn = this::turn;
    private final boolean mayExpand;
    private int[] segments = {};

    /// Reads a layer's weights.
    ///
    /// @param prefix `blk.N.`
    /// @param eps of the norms
    /// @param scale on scores
    LatentAttention(Weights w, String prefix, int width, Shape shape, float eps, float scale, Rope rope, CacheGroups.Place place) {
        this.shape = shape;
        this.scale = scale;
        this.eps = eps;
        this.rope = rope;
        this.place = place;
        mayExpand = !w.isReproducible();
        int heads = shape.heads, rank = shape.rank, plain = shape.plainSize, v = shape.valueSize, queries = heads * shape.headSize();
        boolean twice = shape.queryRank > 0;
        queryDown = twice ? Optional.of(w.matrix(prefix + "attn_q_a.weight", shape.queryRank, width)) : Optional.empty();
        queryNorm = twice ? w.vector(prefix + "attn_q_a_norm.weight", shape.queryRank) : Weights.NONE;
        query = twice ? w.matrix(prefix + "attn_q_b.weight", queries, shape.queryRank) : w.matrix(prefix + "attn_q.weight", queries, width);
        down = w.matrix(prefix + "attn_kv_a_mqa.weight", shape.cached(), width);
        downNorm = w.vector(prefix + "attn_kv_a_norm.weight", rank);
        if (shape.split) {
            absorb = new HeadMatrices(List.of(w.experts(prefix + "attn_k_b.weight", rank, plain, heads)));
            value = new HeadMatrices(List.of(w.experts(prefix + "attn_v_b.weight", v, rank, heads)));
        } else {
            String both = prefix + "attn_kv_b.weight";
            absorb = new HeadMatrices(List.of(w.turnedHeadRows(both, heads, plain + v, 0, plain, rank)));
            value = new HeadMatrices(w.headRows(both, heads, plain + v, plain, v, rank));
        }
        output = w.matrix(prefix + "attn_output.weight", width, heads * v);
    }

    @Override
    public void forward(Pass pass) {
        int n = pass.step().count(), cached = shape.cached();
        Activation h = pass.normed(), input = queryDown.isPresent() ? pass.middle(shape.queryRank) : h;
        float[] latent = pass.keys(cached), raw = pass.inner(query.rows());
        if (queryDown.isPresent()) {
            input.reset(n);
            pass.region().multiply(queryDown.get(), h, input.values(), 0, shape.queryRank);
        } else {
            pass.region().multiply(query, h, raw, 0, query.rows());
        }
        pass.region().multiply(down, h, latent, 0, cached);
        pass.region().run();
        pass.perRow(norms, 2 * (shape.queryRank + cached));
        if (queryDown.isPresent()) {
            pass.region().multiply(query, input, raw, 0, query.rows());
            pass.region().run();
        }
        pass.attention().store(pass.region(), place.group(), place.layer(), pass.step().rows(), latent, 0, cached);
        if (mayExpand && expandingIsCheaper(shape, pass.step().rows())) expanded(pass, raw);
        else absorbed(pass);
        pass.region().multiply(output, pass.middle(output.columns()), pass.sum(), 0, output.rows());
        pass.region().run();
        pass.addToStream(Weights.NONE);
    }

    /// Which of the two ways takes less time. The matrices' work is done for each row, or else for each position that is seen, in whole
    /// blocks; attention's for each pair of row and position. Counted in multiply-adds of one head.
    static boolean expandingIsCheaper(Shape shape, Rows rows) {
        double absorbed = 0, expanded = 0, matrices = (shape.plainSize + (double) shape.valueSize) * shape.rank;
        for (int run = 0; run < rows.runs(); run++) {
            double n = rows.runEnd(run) - rows.runStart(run);
            int seen = rows.position(rows.runEnd(run) - 1) + 1;
            int made = (seen + PagePool.POSITIONS - 1) / PagePool.POSITIONS * PagePool.POSITIONS;
            double pairs = n * (seen - (n - 1) / 2);
            absorbed += ABSORBING * n * matrices + ATTENDING_ABSORBED * pairs * (shape.rank + shape.ropeSize + shape.rank);
            expanded += made * matrices + pairs * (shape.headSize() + shape.valueSize);
        }
        return expanded < absorbed;
    }

    /// Attention with keys and values of every head.
    private void expanded(Pass pass, float[] raw) {
        Activation answer = pass.middle(output.columns());
        answer.reset(pass.step().count());
        pass.perRow(turn, 4 * shape.heads * shape.ropeSize);
        pass.attention().attendExpanded(pass.region(), place.group(), place.layer(), pass.step().rows(), this, raw, 0, query.rows(),
                shape.heads, scale, answer.values(), 0, output.columns());
        pass.region().run();
    }

    /// Attention in the latent space.
    private void absorbed(Pass pass) {
        int n = pass.step().count(), heads = shape.heads, cached = shape.cached(), v = shape.valueSize;
        Activation plain = heads(pass, shape.plainSize);
        float[] q = pass.queries(heads * cached);
        pass.perRow(spread, 2 * query.rows());
        for (int head = 0; head < heads; head++) absorb.multiply(pass.region(), head, plain, q, head * cached, heads * cached);
        pass.region().run();
        Activation found = heads(pass, shape.rank);
        pass.attention().attend(pass.region(), place.group(), place.layer(), pass.step().rows(), q, 0, heads * cached, heads, scale,
                Weights.NONE, found.values(), 0, shape.rank, n * shape.rank);
        pass.region().run();
        Activation answer = pass.middle(output.columns());
        answer.reset(n);
        for (int head = 0; head < heads; head++) value.multiply(pass.region(), head, found, answer.values(), head * v, heads * v);
        pass.region().run();
    }

    /// A column for each row of each head, by head.
    private Activation heads(Pass pass, int size) {
        int n = pass.step().count(), heads = shape.heads;
        if (segments.length == 0) segments = new int[heads + 1];
        for (int head = 0; head <= heads; head++) segments[head] = head * n;
        Activation a = pass.heads(size);
        a.reset(Math.multiplyExact(heads, n));
        a.segment(segments, heads);
        return a;
    }

    /// Norms between products, and the rotation of the shared key part.
    private void norms(Pass pass, int from, int to) {
        Ops ops = pass.ops();
        int ql = shape.queryRank, cached = shape.cached(), pairs = rope.pairs();
        float[] latent = pass.keys(cached), cos = pass.cos(rope), sin = pass.sin(rope);
        for (int i = from; i < to; i++) {
            ops.rmsNorm(latent, i * cached, downNorm, latent, i * cached, shape.rank, eps);
            rope.rotate(ops, latent, i * cached + shape.rank, cos, sin, i * pairs);
        }
        if (ql == 0) return;
        float[] q = pass.middle(ql).values();
        for (int i = from; i < to; i++) ops.rmsNorm(q, i * ql, queryNorm, q, i * ql, ql, eps);
    }

    /// Rotates the queries where they are.
    private void turn(Pass pass, int from, int to) {
        int size = shape.headSize(), pairs = rope.pairs();
        float[] raw = pass.inner(query.rows()), cos = pass.cos(rope), sin = pass.sin(rope);
        for (int i = from; i < to; i++)
            for (int head = 0; head < shape.heads; head++)
                rope.rotate(pass.ops(), raw, (i * shape.heads + head) * size + shape.plainSize, cos, sin, i * pairs);
    }

    @Override
    public int plainSize() {
        return shape.plainSize;
    }

    @Override
    public int valueSize() {
        return shape.valueSize;
    }

    @Override
    public void pack(int head, float[] keys, float[] values, float[] row) {
        int rank = shape.rank, plain = shape.plainSize;
        for (int c = 0; c < rank; c++) { // this matrix is turned over
            absorb.decodeRow(head, c, row);
            for (int n = 0; n < plain; n++) keys[(n / PACK * rank + c) * PACK + n % PACK] = row[n];
        }
        for (int v = 0; v < shape.valueSize; v++) {
            value.decodeRow(head, v, row);
            int to = v / PACK * rank * PACK + v % PACK;
            for (int c = 0; c < rank; c++) values[to + c * PACK] = row[c];
        }
    }

    /// Queries go where they are needed: plain parts to the heads' columns, rotated ones behind the absorbed part.
    private void spread(Pass pass, int from, int to) {
        int heads = shape.heads, n = pass.step().count(), size = shape.headSize(), plain = shape.plainSize, cached = shape.cached();
        int pairs = rope.pairs();
        float[] raw = pass.inner(heads * size), q = pass.queries(heads * cached), columns = pass.heads(plain).values();
        float[] cos = pass.cos(rope), sin = pass.sin(rope);
        for (int i = from; i < to; i++)
            for (int head = 0; head < heads; head++) {
                int at = (i * heads + head) * size, target = (i * heads + head) * cached + shape.rank;
                System.arraycopy(raw, at, columns, (head * n + i) * plain, plain);
                System.arraycopy(raw, at + plain, q, target, shape.ropeSize);
                rope.rotate(pass.ops(), q, target, cos, sin, i * pairs);
            }
    }
}
