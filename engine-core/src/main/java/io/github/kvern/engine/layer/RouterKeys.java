package io.github.kvern.engine.layer;

import io.github.kvern.gguf.UnsupportedModelException;
import io.github.kvern.moe.RouterSpec;

/// How a file says that its mixture layers choose: a gate, what becomes of the weights, and groups of experts; and how wide the shared
/// expert is.
public final class RouterKeys {
    private RouterKeys() {
    }

    /// Reads `expert_gating_func`, `expert_weights_norm`, `expert_weights_scale`, `expert_group_count` and `expert_group_used_count`.
    ///
    /// @param absent the family's gate, for a file that does not say it
    /// @throws io.github.kvern.gguf.ModelFormatException a value is out of range, or they do not fit each other
    /// @throws UnsupportedModelException another gate than softmax and sigmoid
    public static RouterSpec read(Parameters p, Parameters.Reader r, RouterSpec.Gate absent) {
        int experts = p.experts(), used = p.expertsUsed();
        int gating = r.number("expert_gating_func", 0, Integer.MIN_VALUE, Integer.MAX_VALUE);
        RouterSpec.Gate gate = switch (gating) {
            case 0 -> absent;
            case 1 -> RouterSpec.Gate.SOFTMAX;
            case 2 -> RouterSpec.Gate.SIGMOID;
            default -> throw new UnsupportedModelException(r.file().paths().getFirst() + ": key " + p.prefix()
                    + "expert_gating_func: expected 1 (softmax) or 2 (sigmoid), found " + gating);
        };
        boolean normalised = r.metadata().findBoolean(p.prefix() + "expert_weights_norm").orElse(false);
        float scale = r.real("expert_weights_scale", 0);
        if (!(scale >= 0 && scale <= 1 << 16)) throw r.wrong("expert_weights_scale", "0 (none) to " + (1 << 16), "" + scale);
        int groups = Math.max(1, r.number("expert_group_count", 0, 0, 64)), best = 1;
        if (groups > 1) {
            if (experts % groups != 0) throw r.wrong("expert_group_count", "a divisor of expert_count " + experts, "" + groups);
            best = r.number("expert_group_used_count", 1, groups);
            if (best * (experts / groups) < used)
                throw r.wrong("expert_group_used_count", "groups of " + experts / groups + " that hold the " + used + " chosen experts",
                        "" + best);
        }
        return new RouterSpec(experts, used, gate, normalised, scale == 0 ? 1 : scale, groups, best, false);
    }

    /// Reads `expert_shared_count`.
    ///
    /// @param inner width inside one expert, 1 to 16,777,216
    /// @return width inside all shared experts together, which are computed as one; 0 for none
    /// @throws io.github.kvern.gguf.ModelFormatException the value is absent, out of range, or makes them wider than 16,777,216 together
    public static int sharedWidth(Parameters.Reader r, int inner) {
        int count = r.number("expert_shared_count", 0, 1 << 10);
        if ((long) inner * count > 1 << 24)
            throw r.wrong("expert_shared_count", "shared experts of at most " + (1 << 24) + " values together",
                    count + " of " + inner + " values");
        return inner * count;
    }
}
