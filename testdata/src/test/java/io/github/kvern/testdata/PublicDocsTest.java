package io.github.kvern.testdata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/// Whatever an application can name has a comment: types, methods, constructors and constants of the exported packages.
class PublicDocsTest {
    private static final List<
            String> EXPORTED = List.of("engine-core/src/main/java/io/github/kvern", "gguf/src/main/java/io/github/kvern/gguf");

    private final Set<String> bare = new TreeSet<>();
    private int seen;

    @Test
    void everythingPublicSaysWhatItIs() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(null, files, null, null, null, files.getJavaFileObjectsFromPaths(sources()));
            DocTrees docs = DocTrees.instance(task);
            for (CompilationUnitTree file : task.parse())
                for (Tree type : file.getTypeDecls())
                    if (type instanceof ClassTree c) look(docs, new TreePath(new TreePath(file), c), false);
        }
        assertTrue(seen > 250, "only " + seen + " public members seen: the rule looks past them");
        assertEquals("", String.join("\n", bare));
    }

    private static List<Path> sources() throws IOException {
        List<Path> all = new ArrayList<>();
        for (String folder : EXPORTED) {
            try (Stream<Path> files = Files.list(TestData.repository().resolve(folder))) {
                files.filter(f -> f.toString().endsWith(".java") && !f.endsWith("package-info.java")).forEach(all::add);
            }
        }
        return all;
    }

    /// @param open whether members are public without saying so, as in an interface
    private void look(DocTrees docs, TreePath path, boolean open) {
        ClassTree type = (ClassTree) path.getLeaf();
        if (!isShown(type.getModifiers(), open)) return;
        check(docs, path, type.getSimpleName().toString());
        boolean inner = type.getKind() == Tree.Kind.INTERFACE;
        for (Tree member : type.getMembers()) {
            TreePath at = new TreePath(path, member);
            switch (member) {
                case ClassTree c -> look(docs, at, inner);
                case MethodTree m when isShown(m.getModifiers(), inner) && !overrides(m) -> check(docs, at, m.getName().toString());
                case VariableTree v when isShown(v.getModifiers(), inner) -> check(docs, at, v.getName().toString());
                default -> {
                }
            }
        }
    }

    private static boolean isShown(ModifiersTree modifiers, boolean open) {
        return open || modifiers.getFlags().contains(Modifier.PUBLIC) || modifiers.getFlags().contains(Modifier.PROTECTED);
    }

    /// Such a method has its contract where it was declared first.
    private static boolean overrides(MethodTree method) {
        return method.getModifiers().getAnnotations().stream().anyMatch(a -> a.getAnnotationType().toString().equals("Override"));
    }

    private void check(DocTrees docs, TreePath path, String name) {
        seen++;
        String comment = docs.getDocComment(path);
        if (comment != null && !comment.isBlank()) return;
        CompilationUnitTree file = path.getCompilationUnit();
        long line = file.getLineMap().getLineNumber(docs.getSourcePositions().getStartPosition(file, path.getLeaf()));
        bare.add(Path.of(file.getSourceFile().toUri()).getFileName() + ":" + line + ": " + name + " has no comment");
    }
}
