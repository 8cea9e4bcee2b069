package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The rules of the house that can be read from the sources: how long files are, and what is not named in them.
class SourceRulesTest {
    private static final int MOST_LINES = 399;
    private static final Set<String> SKIPPED_FOLDERS = Set.of("target", ".git", ".idea", ".vscode", "fixtures", "models", "wrapper");
    private static final Pattern SOURCES = Pattern.compile(".*\\.(java|xml|md|sh|properties|yml|json|config)|kvern|run");
    private static final Pattern MACHINE_PATH = Pattern.compile("(?<![\\w.*~$}])/(home|root|work|Users|mnt)/[\\w.]");

    private static final List<Path> FILES = new ArrayList<>();

    @BeforeAll
    static void collect() throws IOException {
        Files.walkFileTree(TestData.repository(), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return SKIPPED_FOLDERS.contains(folder.getFileName().toString()) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (SOURCES.matcher(file.getFileName().toString()).matches()) FILES.add(file);
                return FileVisitResult.CONTINUE;
            }
        });
        assertTrue(FILES.size() > 50, "only " + FILES.size() + " files below " + TestData.repository());
    }

    @Test
    void aFileHoldsOneIdea() throws IOException {
        Set<String> wrong = new TreeSet<>();
        for (Path file : javaFiles()) {
            int lines = Files.readAllLines(file).size();
            if (lines > MOST_LINES) wrong.add(name(file) + ": " + lines + " lines, at most " + MOST_LINES + " allowed: split it by ideas");
        }
        assertNone(wrong);
    }

    @Test
    void commentsAreMarkdown() throws IOException {
        assertNone(lines(javaFiles(), line -> line.strip().startsWith("/*" + "*")));
    }

    @Test
    void noFileNamesAPlaceOnSomebodysMachine() throws IOException {
        assertNone(lines(FILES, line -> MACHINE_PATH.matcher(line).find()));
    }

    /// Its engine prints text of its own into every build log; parameterised tests with a seed do the same work.
    @Test
    void propertyTestsArePlainJUnit() throws IOException {
        String unwanted = "net." + "jqwik";
        assertNone(lines(FILES, line -> line.contains(unwanted)));
    }

    private static List<Path> javaFiles() {
        return FILES.stream().filter(f -> f.toString().endsWith(".java")).toList();
    }

    private static Set<String> lines(List<Path> files, Predicate<String> isWrong) throws IOException {
        Set<String> wrong = new TreeSet<>();
        for (Path file : files) {
            int number = 0;
            for (String line : Files.readAllLines(file)) {
                number++;
                if (isWrong.test(line)) wrong.add(name(file) + ":" + number + ": " + line.strip());
            }
        }
        return wrong;
    }

    private static String name(Path file) {
        return TestData.repository().relativize(file).toString();
    }

    private static void assertNone(Set<String> wrong) {
        assertEquals("", String.join("\n", wrong));
    }
}
