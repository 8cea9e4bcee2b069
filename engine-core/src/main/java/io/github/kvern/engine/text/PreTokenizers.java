package io.github.kvern.engine.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The pre-tokenizers Kvern knows, by the names that `tokenizer.ggml.pre` gives them. They are the regular expressions of the
/// models' own tokenizers, not those of llama.cpp, which leaves some of their features out.
public final class PreTokenizers {
    private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String GPT_2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA_3 = CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
            + SPACES;
    private static final String QWEN_2 = CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + SPACES;
    private static final String GPT_4O = words("") + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + SPACES;
    private static final String TEKKEN = wordsOnly() + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + SPACES;
    private static final String KIMI_K2 = "\\p{IsHan}+|" + words("&&[^\\p{IsHan}\\p{M}]") + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
            + SPACES;
    private static final List<String> DEEPSEEK_V3 = List.of("\\p{N}{1,3}", "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+",
            "[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*" + SPACES);

    private static final List<Row> TABLE = List.of(
            new Row("llama-bpe", List.of("llama3", "llama-v3"), List.of(LLAMA_3), true, false, true),
            new Row("smaug-bpe", List.of("dbrx"), List.of(LLAMA_3), false, false, false),
            new Row("llama4", List.of("gpt-4o"), List.of(GPT_4O), false, false, false),
            new Row("qwen2", List.of("deepseek-r1-qwen"), List.of(QWEN_2), false, true, false),
            new Row("deepseek-v3", List.of(), DEEPSEEK_V3, false, false, false),
            new Row("kimi-k2", List.of(), List.of(KIMI_K2), false, false, false),
            new Row("tekken", List.of(), List.of(TEKKEN), true, false, true),
            new Row("glm4", List.of("chatglm-bpe"), List.of(LLAMA_3), false, false, false),
            new Row("smollm", List.of("refact", "starcoder"), List.of("\\p{N}", GPT_2), false, false, false),
            new Row("gpt-2", List.of("phi-2"), List.of(GPT_2), false, false, false),
            new Row("default", List.of(), List.of("[\\p{P}$+<=>^~|]+", GPT_2, "\\p{N}+", "[0-9][0-9][0-9]"), false, false, false));

    private PreTokenizers() {
    }

    /// @param name how most files call it
    /// @param also other names of the same
    /// @param stages as in [PreTokenizer]
    private record Row(String name, List<String> also, List<String> stages, boolean takesWhole, boolean composes, boolean addsBos) {
        PreTokenizer compile() {
            List<Pattern> patterns = new ArrayList<>();
            for (String stage : stages) patterns.add(Pattern.compile(stage, Pattern.UNICODE_CHARACTER_CLASS)); // else \s is ASCII only
            return new PreTokenizer(patterns, takesWhole, composes, addsBos);
        }
    }

    /// The pre-tokenizer of this name.
    public static Optional<PreTokenizer> find(String name) {
        for (Row row : TABLE) if (row.name.equals(name) || row.also.contains(name)) return Optional.of(row.compile());
        return Optional.empty();
    }

    /// All names, for messages.
    public static String names() {
        return TABLE.stream().map(row -> row.also.isEmpty() ? row.name : row.name + " (" + String.join(", ", row.also) + ")")
                .collect(Collectors.joining(", "));
    }

    /// The two alternatives for words of the newer patterns: small letters after any, or capitals before any.
    ///
    /// @param but what to exclude, as an intersection
    private static String words(String but) {
        return words(but, CONTRACTION + "?");
    }

    /// Without contractions.
    private static String wordsOnly() {
        return words("", "");
    }

    private static String words(String but, String end) {
        String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}" + but + "]";
        String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}" + but + "]";
        String start = "[^\\r\\n\\p{L}\\p{N}]?";
        return start + upper + "*" + lower + "+" + end + "|" + start + upper + "+" + lower + "*" + end;
    }
}
