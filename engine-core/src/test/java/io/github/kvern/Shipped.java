package io.github.kvern;

import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// The model that comes with the sources: a context of 512 tokens, a vocabulary of 4,096.
final class Shipped {
    static final String PROMPT = "Once upon a time";
    static final Sampling GREEDY = Sampling.greedy();

    private Shipped() {
    }

    static Path path() {
        return TestData.folder().resolve("models/fables-10m-a6m-Q4_K_M.gguf");
    }

    /// Exact: the same bits however the work is cut into steps.
    static ModelOptions exact() {
        return ModelOptions.defaults().precision(Precision.EXACT).threads(2);
    }

    static Model load(ModelOptions options) {
        try {
            return Model.load(path(), options);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Reads to the end.
    static List<Token> tokens(Generation generation) {
        List<Token> all = new ArrayList<>();
        for (Token t : generation) all.add(t);
        return all;
    }

    static String text(List<Token> tokens) {
        return tokens.stream().map(Token::text).collect(Collectors.joining());
    }

    static int[] ids(List<Token> tokens) {
        return tokens.stream().mapToInt(Token::id).toArray();
    }

    /// The answer of a conversation of its own.
    static List<Token> fresh(Model model, Prompt prompt, Sampling sampling) {
        try (Generator generator = model.generator(); Generation g = generator.generate(prompt, sampling)) {
            return tokens(g);
        }
    }

    /// So many tokens of a text that makes sense to the model.
    static int[] prompt(Model model, int tokens) {
        int[] some = model.tokenizer().encode("There was once a miller who had three sons, and a mill, and a cat. ");
        int[] all = new int[tokens];
        for (int i = 0; i < tokens; i++) all[i] = some[i % some.length];
        return all;
    }
}
