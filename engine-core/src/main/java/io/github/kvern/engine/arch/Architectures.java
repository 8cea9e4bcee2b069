package io.github.kvern.engine.arch;

import io.github.kvern.engine.layer.Decoder;
import io.github.kvern.engine.layer.Weights;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/// The families, by the name in `general.architecture`.
public final class Architectures {
    @FunctionalInterface
    private interface Loader {
        Decoder load(GgufFile file, Weights weights, TensorType cache);
    }

    // @formatter:off
    private static final Map<String, Loader> FAMILIES = Map.ofEntries(
            Map.entry("deepseek2", DeepSeek2::load),
            Map.entry("gemma3", Gemma3::load),
            Map.entry("glm4moe", Glm4Moe::load),
            Map.entry("gpt-oss", GptOss::load),
            Map.entry("granite", Granite::load),
            Map.entry("granitemoe", Granite::load),
            Map.entry("llama", Llama::load),
            Map.entry("llama4", Llama4::load),
            Map.entry("mistral3", Mistral3::load),
            Map.entry("phi3", Phi3::load),
            Map.entry("qwen2", Qwen2::load),
            Map.entry("qwen3", Qwen3::load),
            Map.entry("qwen3moe", Qwen3Moe::load));
    // @formatter:on

    private Architectures() {
    }

    /// The names that can be loaded, sorted.
    public static Collection<String> names() {
        return new TreeMap<>(FAMILIES).keySet();
    }

    /// Loads a model's parameters and weights.
    ///
    /// @param cache F16 or F32
    /// @throws UnsupportedModelException no family has this name, or the family does not do all that the file asks for
    /// @throws io.github.kvern.gguf.ModelFormatException keys or tensors are missing, or do not fit each other
    public static Decoder load(GgufFile file, Weights weights, TensorType cache) {
        String name = file.metadata().requireString("general.architecture");
        Loader loader = FAMILIES.get(name);
        if (loader == null) {
            throw new UnsupportedModelException(file.paths().getFirst() + ": key general.architecture: found "
                    + file.metadata().find("general.architecture").orElseThrow() + "; supported are "
                    + String.join(", ", names()));
        }
        Decoder decoder = loader.load(file, weights, cache);
        weights.requireAllUsed();
        return decoder;
    }
}
