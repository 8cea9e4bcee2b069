/// How a model speaks. The public API of Kvern is the package [io.github.kvern]; a model's metadata and the exceptions are in
/// [io.github.kvern.gguf].
///
/// ```java
/// try (Model model = Model.load(path); Generator generator = model.generator()) {
///     System.out.println(generator.generate(Prompt.text("Once upon a time"), Sampling.greedy().maxTokens(20)).text());
/// }
/// ```
///
/// On the module path no flag is needed. On the class path start `java` with `--add-modules jdk.incubator.vector`; without it
/// everything works, slowly, and says so once.
module io.github.kvern.engine {
    requires static org.jspecify;
    requires transitive io.github.kvern.gguf;
    requires io.github.kvern.kernels;
    requires io.github.kvern.moe;
    requires io.github.kvern.kvcache;
    requires static jdk.jfr; // its events are written where it is there
    requires java.management;
    requires jdk.management;
    requires org.slf4j;

    exports io.github.kvern;
}
