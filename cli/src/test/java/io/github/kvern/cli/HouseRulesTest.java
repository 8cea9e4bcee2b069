package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The rules of the house that can be read from compiled classes: which module leans on which, what the public API shows,
/// and the arithmetic whose result depends on who computes it.
class HouseRulesTest {
    private static final String BASE = "io.github.kvern";
    private static final String VECTOR = "jdk.incubator.vector";
    private static final String OPERATORS = VECTOR + ".VectorOperators";
    private static final Set<String> EXPORTED = Set.of(BASE, BASE + ".gguf");

    /// What a module may lean on, by folder, besides the JDK, SLF4J and the null annotations, which are open to all. The
    /// modules that applications embed have no other dependency.
    private static final Map<String, Set<String>> ARROWS = Map.of(
            "gguf", Set.of(),
            "quant-kernels", Set.of(BASE + ".gguf", VECTOR),
            "moe", Set.of(BASE + ".gguf", BASE + ".kernels"),
            "kvcache", Set.of(BASE + ".gguf", BASE + ".kernels"),
            "engine-core", Set.of(BASE + ".gguf", BASE + ".kernels", BASE + ".moe", BASE + ".kvcache"),
            "cli", Set.of(BASE + ".gguf", BASE + ".engine", "info.picocli", "com.fasterxml.jackson.core"));

    private static final Map<String, List<JavaClass>> CLASSES = new LinkedHashMap<>();
    private static final Map<String, ModuleDescriptor> MODULES = new LinkedHashMap<>();

    @BeforeAll
    static void read() {
        ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false); // names are enough, and ten times as fast
        Path root = TestData.repository();
        List<Path> folders = ARROWS.keySet().stream().map(f -> root.resolve(f).resolve("target/classes")).toList();
        JavaClasses all = new ClassFileImporter().importPaths(folders);
        for (String folder : ARROWS.keySet()) {
            Path classes = root.resolve(folder).resolve("target/classes");
            List<JavaClass> found = all.stream().filter(c -> Path.of(c.getSource().orElseThrow().getUri()).startsWith(classes))
                    .filter(c -> !isDescriptor(c)).toList();
            assertFalse(found.isEmpty(), "no classes in " + classes);
            CLASSES.put(folder, found);
            MODULES.put(folder, ModuleFinder.of(classes).findAll().iterator().next().descriptor());
        }
    }

    private static boolean isDescriptor(JavaClass c) {
        return c.getName().endsWith("module-info") || c.getName().endsWith("package-info");
    }

    @Test
    void modulesLeanOnlyOnWhatTheMapShows() {
        Set<String> wrong = new TreeSet<>();
        MODULES.forEach((folder, module) -> {
            for (ModuleDescriptor.Requires r : module.requires()) {
                if (!ARROWS.get(folder).contains(r.name()) && !isOpenToAll(r.name())) wrong.add(folder + " requires " + r.name());
            }
        });
        assertNone(wrong);
    }

    private static boolean isOpenToAll(String module) {
        return (module.startsWith("java.") || module.startsWith("jdk.")) && !module.contains("incubator")
                || module.equals("org.slf4j") || module.equals("org.jspecify");
    }

    /// A descriptor binds at run time only what is in named modules; this sees a class that reaches past its own.
    @Test
    void onlyTheKernelsNameTheVectorModule() {
        Set<String> wrong = new TreeSet<>();
        CLASSES.forEach((folder, classes) -> {
            if (!folder.equals("quant-kernels")) wrong.addAll(dependencies(classes, p -> p.startsWith(VECTOR)));
        });
        assertNone(wrong);
    }

    @Test
    void theCommandLineKnowsOnlyThePublicApi() {
        assertNone(dependencies(CLASSES.get("cli"), p -> p.startsWith(BASE) && !EXPORTED.contains(p) && !p.equals(BASE + ".cli")));
    }

    private static Set<String> dependencies(List<JavaClass> classes, Predicate<String> onPackage) {
        return classes.stream().flatMap(c -> c.getDirectDependenciesFromSelf().stream())
                .filter(d -> onPackage.test(d.getTargetClass().getBaseComponentType().getPackageName()))
                .map(d -> d.getDescription()).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void thePublicApiShowsOnlyWhatItsReaderCanName() {
        Set<String> wrong = new TreeSet<>();
        publicTypes().forEach(c -> {
            List<JavaClass> shown = new ArrayList<>(c.getRawInterfaces());
            c.getRawSuperclass().ifPresent(shown::add);
            for (JavaField f : c.getFields()) if (isShown(f)) shown.addAll(f.getAllInvolvedRawTypes());
            for (JavaCodeUnit u : c.getCodeUnits()) {
                if (!isShown(u)) continue;
                shown.addAll(u.getAllInvolvedRawTypes());
                shown.addAll(u.getExceptionTypes());
            }
            for (JavaClass s : shown) if (!canBeNamed(s.getBaseComponentType())) wrong.add(c.getName() + " shows " + s.getName());
        });
        assertNone(wrong);
    }

    private static boolean canBeNamed(JavaClass type) {
        String from = type.getPackageName();
        return from.startsWith(BASE) ? EXPORTED.contains(from) && isVisible(type) : type.isPrimitive() || from.startsWith("java.");
    }

    @Test
    void publicTypesCannotBeExtendedFromOutside() {
        assertNone(names(publicTypes().filter(c -> !c.isInterface() && !c.getModifiers().contains(JavaModifier.FINAL)
                && !c.getName().endsWith("Exception") && !c.isEnum() && c.getConstructors().stream().anyMatch(HouseRulesTest::isShown))));
    }

    private static Stream<JavaClass> publicTypes() {
        return allClasses().filter(c -> EXPORTED.contains(c.getPackageName()) && isVisible(c));
    }

    private static boolean isVisible(JavaClass c) {
        return c.getModifiers().contains(JavaModifier.PUBLIC) && c.getEnclosingClass().map(HouseRulesTest::isVisible).orElse(true);
    }

    private static boolean isShown(JavaMember m) {
        Set<JavaModifier> is = m.getModifiers();
        return !is.contains(JavaModifier.SYNTHETIC) && (is.contains(JavaModifier.PUBLIC) || is.contains(JavaModifier.PROTECTED));
    }

    @Test
    void nothingStaticIsMutable() {
        assertNone(allClasses().flatMap(c -> c.getFields().stream())
                .filter(f -> f.getModifiers().contains(JavaModifier.STATIC) && !f.getModifiers().contains(JavaModifier.FINAL))
                .filter(f -> !f.getModifiers().contains(JavaModifier.SYNTHETIC))
                .map(JavaMember::getFullName).collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void namesSayWhatATypeIs() {
        Set<String> empty = Set.of("Manager", "Helper", "Helpers", "Util", "Utils", "Impl", "Abstract");
        assertNone(names(allClasses().filter(c -> Stream.of(c.getSimpleName().split("(?=[A-Z])")).anyMatch(empty::contains))));
    }

    /// `Math.exp` and its kind may differ between interpreter and compiler, and so may the vector operators of the same
    /// names; the order of a float `reduceLanes(ADD)` is not specified. `StrictMath`, `sqrt` and `fma` are exact.
    @Test
    void noArithmeticDependsOnWhoComputesIt() {
        Set<String> functions = Set.of("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp", "expm1", "log",
                "log10", "log1p", "pow", "cbrt", "hypot");
        Set<String> wrong = new TreeSet<>();
        allClasses().flatMap(c -> c.getAccessesFromSelf().stream()).forEach(a -> {
            String owner = a.getTarget().getOwner().getName(), name = a.getTarget().getName();
            boolean function = owner.equals("java.lang.Math") && functions.contains(name);
            boolean operator = owner.equals(OPERATORS) && functions.contains(name.toLowerCase(Locale.ROOT));
            if (function || operator) wrong.add(a.getDescription());
        });
        assertNone(wrong);
    }

    /// Which operator a reduction takes is not in its name: the instructions are read, where the operator is loaded before.
    @Test
    void noFloatSumInUnspecifiedOrder() throws IOException {
        Set<String> reductions = Set.of("ADD", "MUL", "MIN", "MAX", "FIRST_NONZERO");
        Set<String> wrong = new TreeSet<>();
        for (JavaClass c : CLASSES.get("quant-kernels")) {
            ClassModel model = ClassFile.of().parse(Path.of(c.getSource().orElseThrow().getUri()));
            for (MethodModel method : model.methods()) {
                String operator = "";
                for (CodeElement e : method.code().map(CodeModel::elementList).orElse(List.of())) {
                    if (e instanceof FieldInstruction f && f.owner().asInternalName().equals(OPERATORS.replace('.', '/'))
                            && reductions.contains(f.name().stringValue()))
                        operator = f.name().stringValue();
                    boolean sum = e instanceof InvokeInstruction call && call.name().equalsString("reduceLanes")
                            && call.owner().asInternalName().matches(".*/(Float|Double)Vector") && Set.of("ADD", "MUL").contains(operator);
                    if (sum) wrong.add(c.getName() + "." + method.methodName().stringValue() + " calls reduceLanes(" + operator + ")");
                }
            }
        }
        assertNone(wrong);
    }

    private static Stream<JavaClass> allClasses() {
        return CLASSES.values().stream().flatMap(List::stream);
    }

    private static Set<String> names(Stream<JavaClass> classes) {
        return classes.map(JavaClass::getName).collect(Collectors.toCollection(TreeSet::new));
    }

    private static void assertNone(Set<String> wrong) {
        assertEquals("", String.join("\n", wrong));
    }
}
