package io.github.kvern.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.kvcache.KvLayout;
import io.github.kvern.kvcache.PagePool;
import io.github.kvern.kvcache.Rows;
import io.github.kvern.kvcache.Sequence;
import io.github.kvern.kvcache.Visible;
import java.util.List;
import org.junit.jupiter.api.Test;

class LatentAttentionTest {
    /// Kimi K2's.
    private static final LatentAttention.Shape SHAPE = new LatentAttention.Shape(64, 1536, 512, 128, 64, 128, true);

    private static boolean expands(int... runs) {
        KvLayout layout = new KvLayout(1, 1, 8, 8, TensorType.F32, Visible.ALL);
        try (PagePool pool = new PagePool(List.of(layout), 1 << 20)) {
            Rows rows = new Rows();
            for (int r = 0; r < runs.length; r += 2) {
                Sequence sequence = pool.sequence();
                for (int i = 0; i < runs[r + 1]; i++) rows.add(sequence, runs[r] + i);
            }
            return LatentAttention.expandingIsCheaper(SHAPE, rows);
        }
    }

    @Test
    void singleRowsAreAbsorbedAndPromptsExpanded() {
        for (int position : new int[] {0, 63, 64, 1000, 100_000}) assertEquals(false, expands(position, 1), "position " + position);
        assertEquals(false, expands(1000, 1, 5, 1, 77, 1, 4000, 1));
        for (int position : new int[] {0, 512, 8192, 100_000}) assertEquals(true, expands(position, 512), "512 from " + position);
        assertEquals(false, expands(100_000, 64));
        assertEquals(false, expands(0, 256, 100_000, 1), "what one run gains, another would lose");
    }
}
