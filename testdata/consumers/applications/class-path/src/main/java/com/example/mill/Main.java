package com.example.mill;

import io.github.kvern.Generator;
import io.github.kvern.GeneratorOptions;
import io.github.kvern.Model;
import io.github.kvern.ModelOptions;
import io.github.kvern.Prompt;
import io.github.kvern.Sampling;
import java.io.IOException;
import java.nio.file.Path;

/// Loads a model twice, and tells the same story both times. Ends with a stack trace and exit code 1 when anything is not as promised.
public final class Main {
    private Main() {
    }

    /// @param args the model, and whether the vector module is there
    public static void main(String[] args) throws IOException {
        require(!Main.class.getModule().isNamed(), "runs on the class path");
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        require(vectors == Boolean.parseBoolean(args[1]), "the vector module: " + args[1]);
        String story = story(Path.of(args[0])), again = story(Path.of(args[0]));
        System.out.println(story);
        require(!story.isBlank() && story.equals(again), "the same story, found " + again);
    }

    private static String story(Path path) throws IOException {
        try (Model model = Model.load(path, ModelOptions.defaults().threads(1));
                Generator generator = model.generator(GeneratorOptions.context(64))) {
            System.out.println(model.info().name() + ", " + model.info().kernels());
            return generator.generate(Prompt.text("Once upon a time"), Sampling.greedy().maxTokens(16)).future().join();
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) throw new IllegalStateException("expected: " + what);
    }
}
