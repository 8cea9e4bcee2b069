package com.example.mill;

import io.github.kvern.Generation;
import io.github.kvern.Generator;
import io.github.kvern.GeneratorOptions;
import io.github.kvern.Model;
import io.github.kvern.ModelOptions;
import io.github.kvern.Prompt;
import io.github.kvern.Sampling;
import io.github.kvern.StopReason;
import io.github.kvern.Token;
import io.github.kvern.gguf.KvernException;
import java.io.IOException;
import java.nio.file.Path;

/// Tells a story, token by token. Ends with a stack trace and exit code 1 when anything is not as promised.
public final class Main {
    private Main() {
    }

    /// @param args the model
    public static void main(String[] args) throws IOException {
        require(Main.class.getModule().isNamed(), "runs in a module of its own");
        require(ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(), "the vector module comes along");
        try (Model model = Model.load(Path.of(args[0]), ModelOptions.defaults().threads(1));
                Generator generator = model.generator(GeneratorOptions.context(64));
                Generation story = generator.generate(Prompt.text("Once upon a time"), Sampling.greedy().maxTokens(16))) {
            System.out.println(model.info().metadata().requireString("general.architecture") + ", " + model.info().kernels());
            for (Token token : story) System.out.print(token.text());
            System.out.println();
            require(story.stopReason() == StopReason.MAX_TOKENS && story.stats().generatedTokens() == 16, "16 tokens");
        }
        try (Model none = Model.load(Path.of(args[0] + ".none"))) {
            require(false, "a missing file is refused, found " + none.info());
        } catch (KvernException | IOException e) {
            System.out.println("refused: " + e.getClass().getSimpleName());
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) throw new IllegalStateException("expected: " + what);
    }
}
