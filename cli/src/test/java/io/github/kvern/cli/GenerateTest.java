package io.github.kvern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.testdata.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateTest {
    private static final String PROMPT = "Once upon a time";

    private static Map<String, Object> json(String... args) {
        List<String> all = new ArrayList<>(List.of("--json"));
        all.addAll(List.of(args));
        Run run = Run.of("generate", all.toArray(String[]::new));
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals(1, run.out().lines().count(), run::toString);
        return Json.object(Json.parse(run.out()));
    }

    private static Map<String, Object> stats(Map<String, Object> answer) {
        return Json.object(answer.get("stats"));
    }

    @Test
    void aSeedMakesItRepeatable() {
        Run one = Run.of("generate", "-n", "24", "--seed", "11", PROMPT);
        assertEquals(0, one.exitCode(), one::toString);
        assertTrue(one.out().length() > 24, one::toString);
        assertEquals("kvern: stopped at the limit of 24 tokens (-n)\n", one.err());
        assertEquals(one.out(), Run.of("generate", "-n", "24", "--seed", "11", "-t", "1", PROMPT).out());
        assertNotEquals(one.out(), Run.of("generate", "-n", "24", "--seed", "12", PROMPT).out());
        String told = String.valueOf(((Double) stats(json("-n", "8", PROMPT)).get("seed")).longValue());
        assertEquals(Run.of("generate", "-n", "8", "-s", told, PROMPT).out(), Run.of("generate", "-n", "8", "-s", told, PROMPT).out());
    }

    @Test
    void jsonHasTheFieldsOfTheContract() {
        Map<String, Object> answer = json("-n", "12", "--seed", "11", PROMPT);
        assertEquals(List.of("text", "ids", "stopReason", "stats"), List.copyOf(answer.keySet()));
        assertEquals(List.of("promptTokens", "reusedTokens", "generatedTokens", "loadMillis", "firstTokenMillis", "promptTokensPerSecond",
                "tokensPerSecond", "seed", "experts"), List.copyOf(stats(answer).keySet()));
        Map<String, Object> experts = Json.object(stats(answer).get("experts"));
        assertTrue(List.copyOf(experts.keySet()).subList(0, 3).equals(List.of("tokens", "uses", "readBytes")), answer::toString);
        assertTrue(stats(answer).entrySet().stream().allMatch(e -> e.getKey().equals("experts") || e.getValue() instanceof Double),
                answer::toString);
        assertEquals(Run.of("generate", "-n", "12", "--seed", "11", PROMPT).out(), answer.get("text"));
        int[] ids = Json.ints(answer.get("ids"));
        assertEquals(12, ids.length);
        assertEquals(List.of(5.0, 0.0, 12.0, 11.0), List.of(stats(answer).get("promptTokens"), stats(answer).get("reusedTokens"),
                stats(answer).get("generatedTokens"), stats(answer).get("seed")));
        assertEquals("MAX_TOKENS", answer.get("stopReason"));
        List<String> words = new ArrayList<>(List.of("--detokenize"));
        for (int id : ids) words.add(String.valueOf(id));
        assertEquals(answer.get("text"), Run.of("tokenize", words.toArray(String[]::new)).out());
    }

    @Test
    void logProbabilitiesComeWhenAskedFor() {
        Map<String, Object> answer = json("-n", "4", "--temp", "0", "--logprobs", PROMPT);
        assertEquals(List.of("text", "ids", "logprobs", "stopReason", "stats"), List.copyOf(answer.keySet()));
        List<Object> logprobs = Json.list(answer.get("logprobs"));
        assertEquals(4, logprobs.size());
        assertTrue(logprobs.stream().allMatch(p -> (Double) p < 0 && (Double) p > -5), logprobs::toString);
        Run readable = Run.of("generate", "-n", "4", "--temp", "0", "--logprobs", PROMPT);
        assertEquals(answer.get("text"), readable.out());
        assertEquals(5, readable.err().lines().count(), readable::toString);
    }

    @Test
    void noTokensMeansOnlyToReadThePrompt() {
        Map<String, Object> answer = json("-n", "0", PROMPT);
        assertEquals("", answer.get("text"));
        assertEquals(List.of(), answer.get("ids"));
        assertEquals(5.0, stats(answer).get("promptTokens"));
        assertTrue((Double) stats(answer).get("promptTokensPerSecond") > 0, answer::toString);
        Run run = Run.of("generate", "-n", "0", PROMPT);
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals("", run.out() + run.err());
    }

    @Test
    void theEndOfTheContextIsToldAndNoFailure() {
        Run run = Run.of("generate", "-n", "-1", "-c", "12", "--ignore-eos", PROMPT);
        assertEquals(0, run.exitCode(), run::toString);
        assertEquals("kvern: stopped at the end of the context of 12 tokens (-c)\n", run.err());
        assertEquals("CONTEXT_FULL", json("-n", "-1", "-c", "12", "--ignore-eos", PROMPT).get("stopReason"));
    }

    @Test
    void aPromptLongerThanTheContextIsWrongUsage() {
        Run run = Run.of("generate", "-c", "4", PROMPT);
        assertEquals(2, run.exitCode(), run::toString);
        assertTrue(run.err().contains("5 tokens") && run.err().contains("context 4"), run::toString);
        assertEquals(1, run.err().lines().count(), run::toString);
    }

    @Test
    void aContextThatFitsNoMemoryNamesTheOption() {
        Run run = Run.of("generate", "-c", "2000000000", PROMPT);
        assertEquals(1, run.exitCode(), run::toString);
        assertTrue(run.err().contains("-c") && run.err().lines().count() == 1, run::toString);
    }

    @Test
    void aStopTextEndsItAlsoAcrossTokens() {
        String all = Run.of("generate", "-n", "32", "--temp", "0", PROMPT).out();
        String stop = all.substring(13, 22);
        Map<String, Object> answer = json("-n", "32", "--temp", "0", "--stop", "never there", "--stop", stop, PROMPT);
        assertEquals(all.substring(0, all.indexOf(stop)), answer.get("text"));
        assertEquals("STOP_STRING", answer.get("stopReason"));
    }

    @Test
    void thePromptComesFromAnyOfItsSources(@TempDir Path folder) throws IOException {
        String expected = Run.of("generate", "-n", "6", "--temp", "0", PROMPT).out();
        Path file = Files.writeString(folder.resolve("prompt.txt"), PROMPT + "\r\n");
        assertEquals(expected, Run.of("generate", "-n", "6", "--temp", "0", "-p", PROMPT).out());
        assertEquals(expected, Run.of("generate", "-n", "6", "--temp", "0", "-f", file.toString()).out());
        assertEquals(expected, Run.piped(PROMPT, "generate", "-n", "6", "--temp", "0").out());
        assertEquals(expected, Run.piped(PROMPT + "\n", "generate", "-n", "6", "--temp", "0").out(),
                "the line end of echo is no part of the prompt");
        assertNotEquals(stats(json("-n", "0", PROMPT)).get("promptTokens"), stats(json("-n", "0", PROMPT + "\n")).get("promptTokens"));
    }

    @Test
    void anyUnicodeTextIsAPrompt() {
        for (String prompt : List.of("", "Grüße aus 東京", "\uD83D\uDE00", "\u0000", "@file", "-")) {
            Run run = Run.of("generate", "-n", "4", "--seed", "1", "-p", prompt);
            assertEquals(0, run.exitCode(), run::toString);
            assertFalse(run.out().isEmpty(), run::toString);
        }
    }

    @Test
    void beginAndSpecialTokens() {
        assertEquals(4.0, stats(json("-n", "0", "--no-bos", PROMPT)).get("promptTokens"));
        assertEquals(2.0, stats(json("-n", "0", "--special", "<|end_of_text|>")).get("promptTokens"));
        assertTrue((Double) stats(json("-n", "0", "<|end_of_text|>")).get("promptTokens") > 2);
        Run empty = Run.of("generate", "--no-bos", "");
        assertEquals(2, empty.exitCode(), empty::toString);
    }

    @Test
    void aBiasChangesTheChoice() {
        int first = Json.ints(json("-n", "1", "--temp", "0", PROMPT).get("ids"))[0];
        assertNotEquals(first, Json.ints(json("-n", "1", "--temp", "0", "--logit-bias", first + "-inf", PROMPT).get("ids"))[0]);
        assertNotEquals(first, Json.ints(json("-n", "1", "--temp", "0", "--logit-bias", first + "=-100", PROMPT).get("ids"))[0]);
        assertEquals(100, Json.ints(json("-n", "1", "--temp", "0", "--logit-bias", "100+1e3", PROMPT).get("ids"))[0]);
        Run wrong = Run.of("generate", "--logit-bias", "4096+1", PROMPT);
        assertEquals(2, wrong.exitCode(), wrong::toString);
    }

    @Test
    void everyOptionIsTakenInEverySpelling() {
        String[][] spellings = {
                {"-n", "3", "-c", "64", "-t", "2", "-ub", "16", "--temp", "0.5", "--typical", "0.9", "--kv", "f32", "-s", "3", "--stop",
                        "zzz", "-p", PROMPT},
                {"--predict", "3", "--ctx-size", "64", "--threads", "2", "--ubatch", "16", "--temperature", "0.5", "--typical-p", "0.9",
                        "-ctk", "f32", "--seed", "3", "-r", "zzz", "--prompt", PROMPT},
                {"--n-predict", "3", "-c", "64", "-t", "2", "--ubatch-size", "16", "--temp=0.5", "--typical=0.9", "--cache-type-k", "F32",
                        "--cache-type-v", "f32", "--seed=3", "--reverse-prompt", "zzz", PROMPT},
        };
        String expected = Run.of("generate", spellings[0]).out();
        assertFalse(expected.isEmpty());
        for (String[] spelling : spellings) {
            Run run = Run.of("generate", spelling);
            assertEquals(0, run.exitCode(), run::toString);
            assertEquals(expected, run.out());
        }
        Run rest = Run.of("generate", "-n", "3", "--top-k", "10", "--top-p", "0.9", "--min-p", "0.1", "--repeat-penalty", "1.1",
                "--repeat-last-n", "32",
                "--frequency-penalty", "0.1", "--presence-penalty", "0.1", "--precision", "exact", "--seed", "1", PROMPT);
        assertEquals(0, rest.exitCode(), rest::toString);
    }

    @Test
    void statsAreOneLineOnStandardError() {
        Run run = Run.of("generate", "-n", "4", "--seed", "9", "--stats", PROMPT);
        assertTrue(run.err().lines().toList().getLast().matches("kvern: prompt 5 tokens, .* tokens/s; generated 4, .* tokens/s; load .* s, "
                + "first token after .* s; seed 9; experts used \\d+ times, .*"), run::toString);
        assertFalse(run.out().contains("tokens/s"));
    }
}
