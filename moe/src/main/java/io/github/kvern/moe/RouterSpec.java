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
public record RouterSpec(int experts, int used, Gate gate, boolean normalised, float scale, int groups, int groupsUsed, boolean weighsInput) {
    /// From router scores to weights.
    public enum Gate {
        /// Softmax over all experts.
        SOFTMAX,
        /// A sigmoid of each score.
        SIGMOID,
        /// Softmax over the chosen scores only.
        SOFTMAX_OF_CHOSEN
    }
}
