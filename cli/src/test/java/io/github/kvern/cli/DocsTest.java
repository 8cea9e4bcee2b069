package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.TestData;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// What docs/cli.md says is so.
class DocsTest {
    private static final Pattern EXAMPLE = Pattern.compile("^\\$ (.*)\\n((?:(?!\\$ |```).*\\n)*)", Pattern.MULTILINE);
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");

    private String docs = "";

    @BeforeEach
    void read() throws IOException {
        docs = Files.readString(TestData.repository().resolve("docs/cli.md"));
    }

    @Test
    void everyVerbAndOptionIsThere() {
        Terminal nowhere = Terminal.of(new ByteArrayInputStream(new byte[0]), new ByteArrayOutputStream(), new ByteArrayOutputStream());
        CommandLine all = Main.commandLine(new Session(nowhere, new Interrupts()));
        List<String> missing = new ArrayList<>();
        for (CommandLine verb : all.getSubcommands().values()) {
            if (!docs.contains("`" + verb.getCommandName())) missing.add(verb.getCommandName());
            for (OptionSpec option : verb.getCommandSpec().options()) {
                for (String name : option.names())
                    if (!Pattern.compile("`" + name + "[ `]").matcher(docs).find()) missing.add(verb.getCommandName() + " " + name);
            }
        }
        missing.removeIf(name -> name.endsWith(" --help"));
        assertEquals(List.of(), missing);
    }

    /// Runs the examples whose output does not depend on the clock or the machine.
    @Test
    void theExamplesAreTrue() {
        int run = 0;
        for (Matcher m = EXAMPLE.matcher(docs); m.find();) {
            String command = m.group(1);
            String expected = m.group(2);
            if (!command.startsWith("./kvern ") || expected.contains("Millis") || expected.contains("...\n")) continue;
            List<String> words = new ArrayList<>();
            for (Matcher w = WORD.matcher(command.substring(8)); w.find();)
                words.add(w.group(1) != null ? w.group(1) : w.group(2) != null ? w.group(2) : w.group(3));
            Run found = Run.of(words.getFirst(), words.subList(1, words.size()).toArray(String[]::new));
            assertEquals(0, found.exitCode(), found::toString);
            assertEquals(expected, found.out().endsWith("\n") ? found.out() : found.out() + "\n", command);
            run++;
        }
        assertTrue(run >= 5, "only " + run + " examples found");
    }
}
