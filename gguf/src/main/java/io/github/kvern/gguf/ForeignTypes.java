package io.github.kvern.gguf;

import java.util.Map;
import java.util.Optional;

/// Tensor types that files exist of but that are not in the format today, so that such a file is refused by name: types that
/// ggml has removed, and those of a fork (ik_llama.cpp), which numbers its own from 97 on.
final class ForeignTypes {
    private static final Map<Integer, String> REMOVED = Map.of(
            4, "Q4_2", 5, "Q4_3", 31, "Q4_0_4_4", 32, "Q4_0_4_8", 33, "Q4_0_8_8", 36, "IQ4_NL_4_4", 37, "IQ4_NL_4_8", 38, "IQ4_NL_8_8");

    private ForeignTypes() {
    }

    /// What the number stands for elsewhere, or empty when that is not known.
    static Optional<String> nameOf(int id) {
        return Optional.ofNullable(REMOVED.get(id)).map(name -> name + ", removed from ggml");
    }
}
