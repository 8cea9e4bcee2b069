/// The public API of Kvern: load a [io.github.kvern.Model], make a [io.github.kvern.Generator] for each conversation, and let it
/// generate.
///
/// ```java
/// try (Model model = Model.load(path, ModelOptions.defaults().microBatch(256));
///      Generator generator = model.generator(GeneratorOptions.context(512))) {
///     Sampling sampling = Sampling.defaults().temperature(0.7f).maxTokens(30).seed(1);
///     try (Generation answer = generator.generate(Prompt.text("Once upon a time"), sampling)) {
///         for (Token token : answer) System.out.print(token.text());
///     }
/// }
/// ```
///
/// | to | use |
/// |---|---|
/// | load | [io.github.kvern.Model#load(java.nio.file.Path, ModelOptions)], with [io.github.kvern.ModelOptions] and perhaps a [io.github.kvern.LoadListener] |
/// | hold a conversation | [io.github.kvern.Generator], with [io.github.kvern.GeneratorOptions] |
/// | ask | [io.github.kvern.Prompt], [io.github.kvern.Sampling] |
/// | read | [io.github.kvern.Generation] of [io.github.kvern.Token]s; [io.github.kvern.StopReason], [io.github.kvern.Stats] |
/// | look at logits | [io.github.kvern.Model#score(int[], int[])] |
/// | turn text into ids and back | [io.github.kvern.Tokenizer], [io.github.kvern.TokenDecoder] |
/// | see what there is | [io.github.kvern.ModelInfo], [io.github.kvern.EngineInfo] |
///
/// Scoring a text needs no generator:
///
/// ```java
/// int[] ids = model.tokenizer().encode("A mill by the river.");
/// float[][] logits = model.score(ids, new int[] {0, ids.length - 1}); // [2][vocabulary]
/// System.out.println(logits[1].length == model.info().vocabulary());
/// ```
///
/// Nothing here returns null, and values are immutable. A wrong argument is an [IllegalArgumentException], a wrong moment an
/// [IllegalStateException], the disk an [java.io.IOException]; everything else is a [io.github.kvern.gguf.KvernException]. Passing
/// null is a [NullPointerException].
@NullMarked
package io.github.kvern;

import org.jspecify.annotations.NullMarked;
