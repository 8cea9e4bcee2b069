package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.TestData;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What only a process of its own can show: signals, pipes, locales, and how the JVM is started.
class ProcessTest {
    private static final long PATIENCE_SECONDS = 120;
    private static final List<String> ON_MODULE_PATH = List.of("-p", path(), "-m", "io.github.kvern.cli/io.github.kvern.cli.Main");
    private static final List<String> ON_CLASS_PATH = List.of("-cp", path(), "io.github.kvern.cli.Main");

    @TempDir
    private Path folder;

    /// All that the command line needs at run time, wherever this test's build has it.
    private static String path() {
        List<String> places = new ArrayList<>();
        for (String name : List.of("io.github.kvern.cli.Main", "io.github.kvern.Model", "io.github.kvern.gguf.GgufFile",
                "io.github.kvern.kernels.Kernels",
                "io.github.kvern.moe.RouterSpec", "io.github.kvern.kvcache.KvLayout", "picocli.CommandLine",
                "com.fasterxml.jackson.core.JsonFactory",
                "org.slf4j.LoggerFactory", "org.slf4j.simple.SimpleServiceProvider")) {
            try {
                places.add(Path.of(Class.forName(name).getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
            } catch (ClassNotFoundException | URISyntaxException e) {
                throw new AssertionError(name, e);
            }
        }
        return String.join(File.pathSeparator, places);
    }

    private ProcessBuilder java(List<String> how, String... args) {
        List<String> all = new ArrayList<>();
        all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        all.add("-Dkvern.home=" + TestData.repository());
        all.addAll(how);
        all.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(all).redirectError(folder.resolve("err").toFile());
        builder.environment().remove("KVERN_MODEL");
        builder.environment().remove("KVERN_DEBUG");
        return builder;
    }

    /// What a process wrote to standard error, without the JVM's own line about the incubator module.
    private String err() throws IOException {
        StringBuilder kept = new StringBuilder();
        for (String line : Files.readString(folder.resolve("err")).split("(?<=\n)"))
            if (!line.contains("Using incubator modules")) kept.append(line);
        return kept.toString();
    }

    private static int exitCode(Process process) throws InterruptedException {
        try {
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "still running");
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static String rest(InputStream in) throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    /// Shells that start a job in the background make it ignore SIGINT, and what ignores it hands that on to its children.
    private static void assumeSignalsArrive() throws IOException {
        Path status = Path.of("/proc/self/status");
        Assumptions.assumeTrue(Files.isReadable(status), "no /proc to read the ignored signals from");
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("SigIgn:")) {
                Assumptions.assumeTrue((Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) == 0, "SIGINT is ignored here");
            }
        }
    }

    private static void signal(Process process, String name) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor());
    }

    @Test
    void theModelThatShipsTellsAStory() throws IOException, InterruptedException {
        Process process = java(ON_MODULE_PATH, "generate", "-n", "16", "--temp", "0", "Once upon a time").start();
        process.getOutputStream().close();
        String text = rest(process.getInputStream());
        assertEquals(0, exitCode(process), err());
        assertEquals(Run.of("generate", "-n", "16", "--temp", "0", "Once upon a time").out(), text);
        assertEquals("kvern: stopped at the limit of 16 tokens (-n)\n", err());
    }

    @Test
    void controlCEndsWithTheTextSoFar() throws IOException, InterruptedException {
        assumeSignalsArrive();
        String[] args = {"generate", "-n", "-1", "-c", "20000", "--ignore-eos", "--temp", "0", "Once upon a time"};
        Process process = java(ON_MODULE_PATH, args).start();
        InputStream out = process.getInputStream();
        String begin = new String(out.readNBytes(8), StandardCharsets.UTF_8);
        signal(process, "INT");
        String text = begin + rest(out);
        assertEquals(130, exitCode(process), err());
        assertFalse(text.contains("\uFFFD"), "half a character: " + text);
        assertEquals("", err());
        String whole = Run.of("generate", "-n", "64", "--ignore-eos", "--temp", "0", "Once upon a time").out();
        int same = Math.min(text.length(), whole.length());
        assertEquals(whole.substring(0, same), text.substring(0, same));
    }

    @Test
    void controlCStillGivesTheJsonObject() throws IOException, InterruptedException {
        assumeSignalsArrive();
        Path prompt = Files.writeString(folder.resolve("long.txt"), "word ".repeat(30_000));
        Process process = java(ON_MODULE_PATH, "generate", "--json", "-n", "-1", "-c", "200000", "-f", prompt.toString()).start();
        Thread.sleep(3000); // most likely while it reads the prompt; whatever it does then, it must end
        signal(process, "INT");
        String text = rest(process.getInputStream());
        assertEquals(130, exitCode(process), err());
        assertTrue(text.isEmpty() || text.contains("\"stopReason\":\"CANCELLED\""), text);
        assertEquals("", err());
    }

    @Test
    void terminationLeavesNoHalfWrittenFile() throws IOException, InterruptedException {
        Path target = Files.createDirectory(folder.resolve("target"));
        Path ids = Files.writeString(folder.resolve("ids.txt"), "100 ".repeat(30_000));
        Process process = java(ON_MODULE_PATH, "logits", "--tokens", "@" + ids, "--out", target.resolve("logits.f32").toString()).start();
        for (int i = 0; i < 10 * PATIENCE_SECONDS && count(target) == 0 && process.isAlive(); i++) Thread.sleep(100);
        signal(process, "TERM");
        assertEquals(143, exitCode(process), err());
        assertEquals(0, count(target));
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }

    @Test
    void aReaderThatHasSeenEnoughIsNoFailure() throws IOException, InterruptedException {
        Process process = java(ON_MODULE_PATH, "generate", "-n", "-1", "-c", "20000", "--ignore-eos", "Once upon a time").start();
        process.getInputStream().readNBytes(8);
        process.getInputStream().close();
        assertEquals(0, exitCode(process), err());
        assertEquals("", err());
    }

    @Test
    void aFullDiskIsAFailure() throws IOException, InterruptedException {
        File full = new File("/dev/full");
        Assumptions.assumeTrue(full.exists(), "no /dev/full here");
        Process process = java(ON_MODULE_PATH, "inspect").redirectOutput(full).start();
        assertEquals(1, exitCode(process), err());
        assertTrue(err().startsWith("kvern: cannot write standard output: ") && err().lines().count() == 1, err());
    }

    @Test
    void textIsUtf8InAnyLocale() throws IOException, InterruptedException {
        String expected = Run.of("tokenize", "Grüße, 世界?").out();
        for (String locale : List.of("C", "POSIX", "C.UTF-8")) {
            ProcessBuilder builder = java(ON_MODULE_PATH, "tokenize", "Grüße, 世界?");
            Assumptions.assumeTrue(Files.isReadable(Path.of("/proc/self/cmdline")), "no /proc to read arguments from");
            builder.environment().put("LC_ALL", locale);
            Process process = builder.start();
            String text = rest(process.getInputStream());
            assertEquals(0, exitCode(process), err());
            assertEquals(expected, text, locale);
        }
    }

    @Test
    void withoutTheVectorModuleItWarnsOnceWithTheFlag() throws IOException, InterruptedException {
        Process process = java(ON_CLASS_PATH, "generate", "-n", "2", "--temp", "0", "Once upon a time").start();
        String text = rest(process.getInputStream());
        assertEquals(0, exitCode(process), err());
        assertFalse(text.isEmpty());
        assertEquals(2, err().split("--add-modules jdk.incubator.vector", -1).length, err());
        assertEquals(1, err().lines().filter(line -> line.startsWith("WARN ")).count(), err());
        Process version = java(ON_CLASS_PATH, "--version").start();
        String told = rest(version.getInputStream());
        assertEquals(0, exitCode(version), err());
        assertTrue(told.contains("kernels scalar: ") && told.contains("warning: ") && told.contains("--add-modules jdk.incubator.vector"),
                told);
    }

    @Test
    void onTheClassPathWithTheFlagThereIsNoWarning() throws IOException, InterruptedException {
        List<String> how = new ArrayList<>(List.of("--add-modules", "jdk.incubator.vector"));
        how.addAll(ON_CLASS_PATH);
        Process process = java(how, "generate", "-n", "0", "Once upon a time").start();
        assertEquals(0, exitCode(process), err());
        assertEquals("", err());
    }
}
