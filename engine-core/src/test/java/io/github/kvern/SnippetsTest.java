package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The Java that people copy from the documentation: compiled from the very text, and run with the model that ships.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SnippetsTest {
    private static final List<String> SOURCES = List.of("README.md", "docs/embedding.md",
            "engine-core/src/main/java/io/github/kvern/package-info.java", "engine-core/src/main/java/module-info.java");
    private static final String IMPORTS = "import io.github.kvern.*; import io.github.kvern.gguf.*; import java.io.*; import java.nio.file.*; "
            + "import java.util.*; import java.util.concurrent.*;";

    @TempDir
    private static Path folder;

    private static Model model;
    private static Generator generator;

    record Snippet(String source, int line, String code) {
        @Override
        public String toString() {
            return source + ":" + line;
        }

        /// What the text around it has made before, unless it makes it itself.
        private String parameter(String type, String name) {
            return code.matches("(?s).*\\b" + type + " " + name + "\\b.*") ? "_" + name : name;
        }

        String java(String name) {
            return IMPORTS + " public final class " + name + " { public static void run(Path " + parameter("Path", "path") + ", Model "
                    + parameter("Model", "model") + ", Generator " + parameter("Generator", "generator") + ") throws Exception {\n" + code
                    + "\n}}\n";
        }
    }

    static List<Snippet> snippets() throws IOException {
        List<Snippet> all = new ArrayList<>();
        for (String source : SOURCES) {
            List<String> lines = Files.readAllLines(TestData.repository().resolve(source)).stream().map(l -> l.replaceFirst("^/// ?", ""))
                    .toList();
            for (int i = 0; i < lines.size(); i++) {
                if (!lines.get(i).equals("```java")) continue;
                int end = i + 1;
                while (!lines.get(end).equals("```")) end++;
                all.add(new Snippet(source, i + 2, String.join("\n", lines.subList(i + 1, end))));
                i = end;
            }
        }
        for (String source : SOURCES) assertTrue(all.stream().anyMatch(s -> s.source.equals(source)), "no snippet in " + source);
        return all;
    }

    @BeforeAll
    static void load() {
        model = Shipped.load(ModelOptions.defaults().threads(2));
        generator = model.generator();
    }

    @AfterAll
    static void close() {
        generator.close();
        model.close();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("snippets")
    void compilesAndRuns(Snippet snippet) throws Exception {
        Optional<ToolProvider> compiler = ToolProvider.findFirst("javac");
        Assumptions.assumeTrue(compiler.isPresent(), "this runtime has no compiler: snippets are not checked");
        String name = "Snippet" + Integer.toHexString(snippet.toString().hashCode());
        Path source = Files.writeString(folder.resolve(name + ".java"), snippet.java(name));
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        int code = compiler.get().run(out, out, "-d", folder.toString(), "-cp", classPath(), "-proc:none", source.toString());
        assertEquals("", messages.toString(), snippet + " does not compile without a word");
        assertEquals(0, code);
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            loader.loadClass(name).getMethod("run", Path.class, Model.class, Generator.class).invoke(null, Shipped.path(), model,
                    generator);
        }
    }

    /// Where the classes are, whether they are on the class path or in modules.
    private static String classPath() {
        Stream<String> own = Stream.of(Model.class, io.github.kvern.gguf.GgufFile.class)
                .map(c -> Path.of(uri(c)).toString());
        return own.collect(Collectors.joining(System.getProperty("path.separator")));
    }

    private static URI uri(Class<?> type) {
        return URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString());
    }
}
