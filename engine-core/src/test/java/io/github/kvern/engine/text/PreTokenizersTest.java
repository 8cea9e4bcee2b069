package io.github.kvern.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How each pre-tokenizer cuts: worked out by hand from the models' patterns.
class PreTokenizersTest {
    /// Expected parts stand between bars; `~` is a space, `^` a line feed.
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
            "gpt-2; I'm~HE'S~12345~--~x; I|'m|~HE|'|S|~12345|~--|~x",
            "gpt-2; a~~~b^^c~~; a|~~|~b|^|^|c|~~",
            "gpt-2; don't!?^; don|'t|!?|^",
            "llama-bpe; I'm~HE'S~12345~--~x; I|'m|~HE|'S|~|123|45|~--|~x",
            "llama-bpe; a~~~b^^c~~; a|~~|~b|^^|c|~~",
            "llama-bpe; (hello)~$x^y!^^z; (hello|)|~$|x|^|y|!^^|z",
            "llama-bpe; x'ſ~'ſt; x|'ſ|~'|ſt",
            "smaug-bpe; I'm~12345; I|'m|~|123|45",
            "qwen2; I'm~12345~x; I|'m|~|1|2|3|4|5|~x",
            "llama4; HelloWorld~camelCase~ABCdef; Hello|World|~camel|Case|~ABCdef",
            "llama4; I'm~HE'S~don't; I'm|~HE'S|~don't",
            "llama4; 12345~a/b~//^/x; 123|45|~a|/b|~//^/|x",
            "llama4; नमस्ते~दुनिया; नमस्ते|~दुनिया",
            "llama4; ПриветМир; Привет|Мир",
            "tekken; I'm~HE'S~don't~12345; I|'m|~HE|'S|~don|'t|~|1|2|3|4|5",
            "tekken; camelCase~नमस्ते~a/b~//^/x; camel|Case|~नमस्ते|~a|/b|~//^/|x",
            "glm4; I'm~12345~x; I|'m|~|123|45|~x",
            "smollm; I'm~HE'S~123~x; I|'m|~HE|'|S|~|1|2|3|~x",
            "kimi-k2; 中文English混合; 中文|English|混合",
            "kimi-k2; 中文々〇字~の文; 中文々〇字|~の|文",
            "kimi-k2; I'm~camelCase~a/b~//^/x; I'm|~camel|Case|~a|/b|~//^|/x",
            "deepseek-v3; I'm~12345abc~x; I|'m|~|123|45|abc|~x",
            "deepseek-v3; 日本語カナx中; 日本語カナ|x|中",
            "deepseek-v3; a.b~(c)~--^d; a|.b|~(|c|)|~--^|d",
            "deepseek-v3; नमस्ते; नमस्ते",
            "default; I'm~a-b~$5~123456~x; I|'|m|~a|-|b|~|$|5|~|123|456|~x",
            "default; a~~~b^; a|~~|~b|^"})
    void cuts(String name, String text, String expected) {
        assertEquals(List.of(plain(expected).split("\\|")), cut(name, plain(text)));
    }

    @Test
    void spacesAreUnicodeSpaces() {
        for (String name : List.of("gpt-2", "llama-bpe", "qwen2", "llama4", "kimi-k2", "deepseek-v3", "tekken", "smollm")) {
            for (char space : "\u00A0\u1680\u2003\u2028\u202F\u205F\u3000\u0085\u000B".toCharArray())
                assertEquals(List.of("a", "" + space + space), cut(name, "a" + space + space), name + " U+%04X".formatted((int) space));
        }
        assertEquals(List.of("a", "\u200B\u200B"), cut("gpt-2", "a\u200B\u200B"));
        assertEquals(List.of("a", " \u001C"), cut("gpt-2", "a \u001C"), "no space, whatever Python says");
    }

    @Test
    void otherNamesMeanTheSame() {
        for (String pair : List.of("llama3=llama-bpe", "llama-v3=llama-bpe", "gpt-4o=llama4", "deepseek-r1-qwen=qwen2", "dbrx=smaug-bpe",
                "phi-2=gpt-2", "chatglm-bpe=glm4", "refact=smollm", "starcoder=smollm")) {
            String[] names = pair.split("=");
            PreTokenizer one = PreTokenizers.find(names[0]).orElseThrow();
            PreTokenizer other = PreTokenizers.find(names[1]).orElseThrow();
            assertEquals(other.stages().toString(), one.stages().toString());
            assertEquals(other.takesWhole(), one.takesWhole());
            assertEquals(other.composes(), one.composes());
        }
        assertTrue(PreTokenizers.find("gpt2").isEmpty() && PreTokenizers.find("").isEmpty());
    }

    /// What matters is that it ends and does not overflow the stack, and that nothing of the text is lost.
    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "llama-bpe", "qwen2", "llama4", "kimi-k2", "deepseek-v3", "tekken", "smollm", "default"})
    void longRunsEnd(String name) {
        for (String unit : new String[] {"a", "A", " ", "\n", "1", "'", "é", "\u0301", "中", "\uD83D\uDE00", "\u200B", "\u0000", " \n", "aA",
                "\u01C5", "'s", "\u2003"}) {
            String text = unit.repeat(1_000_000 / unit.length());
            int[] done = {0};
            PreTokenizers.find(name).orElseThrow().split(text, (from, to) -> {
                if (from != done[0] || to <= from) throw new AssertionError(from + " to " + to + " after " + done[0]);
                done[0] = to;
            });
            assertEquals(text.length(), done[0]);
        }
    }

    @Test
    void manyMarksAreComposedInParts() {
        PreTokenizer qwen = PreTokenizers.find("qwen2").orElseThrow();
        String marks = "\u0301\u0316".repeat(499);
        String few = "x" + marks + "e\u0301";
        assertEquals(Normalizer.normalize(few, Normalizer.Form.NFC), qwen.normal(few));
        String many = "\u00E9" + "\u0316\u0301".repeat(500_000);
        String composed = qwen.normal(many);
        assertEquals(many.length(), composed.length());
        assertTrue(composed.startsWith("\u00E9" + "\u0316".repeat(500) + "\u0301".repeat(500) + "\u0316"));
    }

    private static List<String> cut(String name, String text) {
        List<String> words = new ArrayList<>();
        PreTokenizers.find(name).orElseThrow().split(text, (from, to) -> words.add(text.substring(from, to)));
        return words;
    }

    private static String plain(String shown) {
        return shown.replace('~', ' ').replace('^', '\n');
    }
}
