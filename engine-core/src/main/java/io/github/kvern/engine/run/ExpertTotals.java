package io.github.kvern.engine.run;

import io.github.kvern.Stats;
import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.MoeFfn;
import io.github.kvern.moe.ExpertUse;
import io.github.kvern.moe.Experts;
import io.github.kvern.moe.MoeLayer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// What the routed experts of a model did together since it was loaded. Adds up what is counted for each anyway, when somebody asks.
/// From any thread.
public final class ExpertTotals {
    private final List<MoeLayer> layers;
    private volatile @Nullable ExpertPager pager;

    ExpertTotals(Decoder decoder) {
        layers = decoder.layers().stream().filter(l -> l.ffn() instanceof MoeFfn).map(l -> ((MoeFfn) l.ffn()).layer()).toList();
    }

    /// From now on it looks what is not in memory.
    public void pager(ExpertPager asks) {
        pager = asks;
    }

    /// Up to now; empty for a model without experts.
    Optional<Stats.Experts> now() {
        if (layers.isEmpty()) return Optional.empty();
        long tokens = 0, uses = 0, bytes = 0;
        for (MoeLayer layer : layers) {
            ExpertUse use = layer.use();
            long used = 0;
            for (int e = 0; e < use.experts(); e++) {
                tokens += use.tokens(e);
                used += use.uses(e);
            }
            Experts experts = layer.experts();
            uses += used;
            bytes += used * ((experts.gate().bytes() + experts.up().bytes() + experts.down().bytes()) / experts.count());
        }
        ExpertPager asks = pager;
        return Optional.of(new Stats.Experts(tokens, uses, bytes, asks == null ? OptionalLong.empty() : asks.missedBytes()));
    }
}
