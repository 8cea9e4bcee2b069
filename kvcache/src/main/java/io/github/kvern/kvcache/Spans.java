package io.github.kvern.kvcache;

/// How the blocks of a sequence are cut into spans. A span is summed on its own, so that several workers can share one row, and
/// spans are joined in ascending order. The cut depends on nothing but the position, so a result does not depend on who shares:
/// four blocks each at first, where a row has few, and sixteen further up, where partial results would become many.
final class Spans {
    private static final int SHORT = 4;
    private static final int LONG = 16;
    private static final int SHORTS = 32; // spans of SHORT blocks: 8192 positions
    private static final int LONG_FROM = SHORT * SHORTS;

    private Spans() {
    }

    /// The span that a block lies in.
    static int of(int block) {
        return block < LONG_FROM ? block / SHORT : SHORTS + (block - LONG_FROM) / LONG;
    }

    /// The first block of a span.
    static int start(int span) {
        return span < SHORTS ? span * SHORT : LONG_FROM + (span - SHORTS) * LONG;
    }
}
