package io.github.kvern.moe;

/// How a mixture layer chooses.
///
/// @param experts how many there are
/// @param used how many a token uses, 1 to `experts`
/// @param gate how scores become weights
/// @param normalised whether the chosen weights are divided by their sum (at least 2^-14)
/// @param scale factor on every weight, after that
/// @param groups consecutive runs of experts of which only the best may be chosen from; 1 for none
/// @param groupsUsed how many runs stay
/// @param weighsInput whether a weight multiplies the expert's input (Llama 4) and not its output
public record RouterSpec(int experts, int used, Gate gate, boolean normalised, float scale, int groups, int groupsUsed,
        boolean weighsInput) {
    /// @throws IllegalArgumentException when the numbers do not fit each other, with the numbers
    public RouterSpec {
        if (used < 1 || used > experts)
            throw new IllegalArgumentException("a token uses " + used + " of " + experts + " experts; expected 1 to " + experts);
        if (groups < 1 || groups > 64 || experts % groups != 0)
            throw new IllegalArgumentException(experts + " experts in " + groups + " groups; expected 1 to 64 groups of the same size");
        if (groupsUsed < 1 || groupsUsed > groups || (long) groupsUsed * (experts / groups) < used)
            throw new IllegalArgumentException(
                    groupsUsed + " of " + groups + " groups of " + experts / groups + " experts are to hold " + used + " chosen ones");
        if (!Float.isFinite(scale))
            throw new IllegalArgumentException("the factor on expert weights is " + scale + "; expected a finite number");
    }

    /// From router scores to weights.
    public enum Gate {
        /// Softmax over all experts.
        SOFTMAX,
        /// A sigmoid of each score.
        SIGMOID,
        /// Softmax over the chosen scores only.
        SOFTMAX_OF_CHOSEN,
        /// A sigmoid of each chosen score. The scores decide: sigmoids of two that are large, or nearly equal, are the same float.
        SIGMOID_OF_CHOSEN
    }
}
