package io.github.kvern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.ValueDescriptor;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What Java Flight Recorder is told.
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EventsTest {
    private static final String PREFIX = "io.github.kvern.";
    private static final Set<String> NAMES = Set.of("Load", "Prefill", "Step", "FirstToken", "Generation", "Expert");
    private static final Set<String> EVERY_EVENTS = Set.of("startTime", "duration", "eventThread", "stackTrace");

    @TempDir
    private Path folder;

    private List<RecordedEvent> recorded(Runnable work) throws IOException {
        Path file = folder.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            // a threshold that everything passes that has a duration
            for (String name : NAMES) recording.enable(PREFIX + name).withThreshold(Duration.ofNanos(1));
            recording.enable(PREFIX + "Expert").withoutThreshold(); // which has none
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream().filter(e -> e.getEventType().getName().startsWith(PREFIX))
                .sorted(Comparator.comparing(RecordedEvent::getStartTime)).toList();
    }

    private static List<RecordedEvent> of(List<RecordedEvent> events, String name) {
        return events.stream().filter(e -> e.getEventType().getName().equals(PREFIX + name)).toList();
    }

    @Test
    void anAnswerFromBeginningToEnd() throws IOException {
        Stats[] stats = new Stats[2];
        List<RecordedEvent> events = recorded(() -> {
            try (Model model = Shipped.load(Shipped.exact().microBatch(8)); Generator generator = model.generator()) {
                int[] prompt = Shipped.prompt(model, 20);
                for (int i = 0; i < 2; i++) {
                    Generation g = generator.generate(Prompt.tokens(prompt), Shipped.GREEDY.maxTokens(3).ignoreEndOfText(true));
                    assertEquals(3, Shipped.tokens(g).size());
                    stats[i] = g.stats();
                }
            }
        });
        RecordedEvent load = of(events, "Load").getFirst();
        assertEquals("Fables-10M-A6M", load.getString("model"));
        assertEquals("llama4", load.getString("architecture"));
        assertEquals(Files.size(Shipped.path()), load.getLong("bytes"));
        assertEquals(2, load.getInt("threads"));
        List<RecordedEvent> steps = of(events, "Step");
        assertEquals(List.of(8, 8, 4, 1, 1, 1, 1, 1), steps.stream().map(e -> e.getInt("rows")).toList());
        assertEquals(List.of(0, 0, 1, 1, 1, 1, 1, 1), steps.stream().map(e -> e.getInt("logits")).toList());
        assertTrue(steps.stream().allMatch(e -> e.getInt("conversations") == 1 && e.getBoolean("whole")));
        List<RecordedEvent> prefills = of(events, "Prefill"), firsts = of(events, "FirstToken"), answers = of(events, "Generation");
        for (int i = 0; i < 2; i++) {
            assertEquals(20, prefills.get(i).getInt("promptTokens"));
            assertEquals(stats[i].reusedTokens(), prefills.get(i).getInt("reusedTokens"));
            assertEquals(stats[i].readTokens(), prefills.get(i).getInt("readTokens"));
            assertEquals(i + 1, firsts.get(i).getLong("answer"));
            RecordedEvent answer = answers.get(i);
            assertEquals(i + 1, answer.getLong("answer"));
            assertEquals(3, answer.getInt("generatedTokens"));
            assertEquals("MAX_TOKENS", answer.getString("stopReason"));
            assertEquals(stats[i].firstTokenNanos(), answer.getDuration("firstTokenTime").toNanos());
            assertEquals(stats[i].generationNanos(), answer.getDuration("generationTime").toNanos());
            assertTrue(answer.getDuration().compareTo(firsts.get(i).getDuration()) >= 0);
        }
        assertEquals(2, answers.size());
    }

    /// The last word on each expert comes when the model is closed.
    @Test
    void whatExpertsDid() throws IOException {
        List<ExpertStats> stats = new ArrayList<>();
        List<RecordedEvent> events = recorded(() -> {
            try (Model model = Shipped.load(Shipped.exact())) {
                Shipped.fresh(model, Prompt.text(Shipped.PROMPT), Shipped.GREEDY.maxTokens(5));
                model.experts().stream().filter(s -> s.uses() > 0).forEach(stats::add);
            }
        });
        List<RecordedEvent> experts = of(events, "Expert");
        assertTrue(!stats.isEmpty() && experts.size() >= stats.size(), experts.size() + " of " + stats.size());
        for (ExpertStats s : stats) {
            RecordedEvent last = experts.stream().filter(e -> e.getInt("layer") == s.layer() && e.getInt("expert") == s.expert())
                    .reduce((a, b) -> b).orElseThrow();
            assertEquals("Fables-10M-A6M", last.getString("model"));
            assertEquals(s.tokens(), last.getLong("tokens"));
            assertEquals(s.uses(), last.getLong("uses"));
            assertEquals(s.bytes(), last.getLong("size"));
        }
    }

    @Test
    void aFailureAndACancel() throws IOException {
        List<RecordedEvent> events = recorded(() -> {
            try (Model model = Shipped.load(Shipped.exact().cacheBytes(900_000));
                    Generator a = model.generator(GeneratorOptions.context(128));
                    Generator b = model.generator(GeneratorOptions.context(128))) {
                Sampling endless = Shipped.GREEDY.maxTokens(-1).ignoreEndOfText(true);
                Generation running = a.generate(Prompt.tokens(Shipped.prompt(model, 100)), endless);
                while (running.stats().generatedTokens() == 0) Thread.onSpinWait();
                assertThrows(MemoryBudgetException.class, b.generate(Prompt.tokens(Shipped.prompt(model, 100)), endless)::text);
                running.cancel();
            }
        });
        List<RecordedEvent> answers = of(events, "Generation");
        assertEquals(List.of("CANCELLED", "FAILED"), answers.stream().map(e -> e.getString("stopReason")).toList());
        assertTrue(answers.getLast().getString("failure").contains("cache"), answers.getLast().getString("failure"));
        assertEquals("", answers.getFirst().getString("failure"));
    }

    /// The table that people read is the truth.
    @Test
    void theTableInTheDocs() throws IOException {
        List<String> lines = Files.readAllLines(TestData.repository().resolve("docs/embedding.md"));
        recorded(() -> {
            try (Model model = Shipped.load(Shipped.exact())) {
                Shipped.fresh(model, Prompt.text(Shipped.PROMPT), Shipped.GREEDY.maxTokens(1));
            }
        });
        List<jdk.jfr.EventType> types = jdk.jfr.FlightRecorder.getFlightRecorder().getEventTypes().stream()
                .filter(t -> t.getName().startsWith(PREFIX)).toList();
        assertEquals(NAMES.size(), types.size());
        for (jdk.jfr.EventType type : types) {
            String row = lines.stream().filter(l -> l.startsWith("| `" + type.getName() + "`")).findFirst()
                    .orElseThrow(() -> new AssertionError("docs/embedding.md has no row for " + type.getName()));
            Set<String> fields = type.getFields().stream().map(ValueDescriptor::getName).filter(n -> !EVERY_EVENTS.contains(n))
                    .collect(Collectors.toCollection(TreeSet::new));
            Set<String> told = new TreeSet<>(
                    List.of(row.split("\\|")[4].replaceAll("\\([^)]*\\)", "").replace("`", "").strip().split("[,\\s]+")));
            assertEquals(fields, told, type.getName());
        }
    }
}
