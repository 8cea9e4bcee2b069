package io.github.kvern;

import static io.github.kvern.Vocabularies.bytePairs;
import static io.github.kvern.Vocabularies.pieces;
import static io.github.kvern.Vocabularies.tokenizer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Byte-level BPE over vocabularies small enough to merge in one's head.
class BytePairsTest {
    private static final List<
            String> MERGES = List.of("_ t", "h e", "_t he", "l l", "a b", "b c", "e l", "he ll", "hell o", "a a", "aa aa");

    @Test
    void theBestMergeComesFirstAndTheLeftmostOfEqual() {
        Tokenizer t = tokenizer(bytePairs("gpt-2", MERGES));
        assertEquals(List.of("_the", "_", "hello"), pieces(t, t.encode(" the hello")));
        assertEquals(List.of("ab", "c"), pieces(t, t.encode("abc")));
        assertEquals(List.of("aa", "a"), pieces(t, t.encode("aaa")));
        assertEquals(List.of("aaaa", "aa", "a"), pieces(t, t.encode("aaaaaaa")));
        assertEquals(List.of("_", "_the"), pieces(t, t.encode("  the")));
        assertArrayEquals(new int[0], t.encode(""));
    }

    /// Words up to 32 bytes are merged in another way than longer ones: both against the definition.
    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void mergingIsAsDefined(long seed) {
        Random random = new Random(seed);
        List<String> made = new ArrayList<>(List.of("a", "b", "c"));
        List<String> merges = new ArrayList<>();
        while (merges.size() < 40) {
            String left = made.get(random.nextInt(made.size()));
            String right = made.get(random.nextInt(made.size()));
            if (left.length() + right.length() > 9 || merges.contains(left + " " + right)) continue;
            merges.add(left + " " + right);
            if (!made.contains(left + right)) made.add(left + right);
        }
        Tokenizer t = tokenizer(bytePairs("llama4", merges));
        for (int length = 1; length < 120; length++) {
            StringBuilder word = new StringBuilder();
            for (int i = 0; i < length; i++) word.append((char) ('a' + random.nextInt(3)));
            assertEquals(merge(word.toString(), merges), pieces(t, t.encode(word.toString())), "seed " + seed + ", word " + word);
        }
    }

    /// One merge at a time: the best of all neighbours, the leftmost of equal ones.
    private static List<String> merge(String word, List<String> merges) {
        List<String> parts = new ArrayList<>(Arrays.asList(word.split("")));
        while (true) {
            int best = merges.size();
            int at = -1;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int rank = merges.indexOf(parts.get(i) + " " + parts.get(i + 1));
                if (rank < 0 || rank >= best) continue;
                best = rank;
                at = i;
            }
            if (at < 0) return parts;
            parts.set(at, parts.get(at) + parts.remove(at + 1));
        }
    }

    @Test
    void aWordSeenBeforeGivesTheSameIds() {
        Tokenizer t = tokenizer(bytePairs("gpt-2", MERGES));
        Random random = new Random(5);
        StringBuilder text = new StringBuilder();
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            StringBuilder word = new StringBuilder(" ");
            for (int n = random.nextInt(1, 7); n > 0; n--) word.append("helotabc".charAt(random.nextInt(8)));
            text.append(word);
            Arrays.stream(t.encode(word.toString())).forEach(expected::add);
        }
        assertArrayEquals(expected.stream().mapToInt(Integer::intValue).toArray(), t.encode(text.toString()));
    }

    @Test
    void onlyLlamaTakesWholeWords() {
        // "hell" is a token that the merges cannot reach: "h e" is missing
        List<String> merges = List.of("e l", "el l", "h ell");
        Metadata whole = bytePairs("llama-bpe", List.of("l l", "e ll", "h ell", "e l"));
        assertEquals(List.of("hell"), pieces(tokenizer(whole), tokenizer(whole).encode("hell")));
        Metadata added = bytePairs("llama-bpe", merges, "abba", 1, "cddc", 3);
        assertEquals(List.of("abba"), pieces(tokenizer(added), tokenizer(added).encode("abba")));
        assertEquals(List.of("c", "d", "d", "c"), pieces(tokenizer(added), tokenizer(added).encode("cddc")), "control tokens are no words");
        Metadata others = bytePairs("smaug-bpe", merges, "abba", 1);
        assertEquals(List.of("a", "b", "b", "a"), pieces(tokenizer(others), tokenizer(others).encode("abba")));
    }

    @Test
    void qwenComposesFirst() {
        Tokenizer qwen = tokenizer(bytePairs("qwen2", MERGES));
        Tokenizer other = tokenizer(bytePairs("gpt-2", MERGES));
        for (String text : new String[] {"e\u0301", "\u212B", "\uAC00\u11A8", "a\u0345\u0301b", "\uD834\uDD5E"}) {
            String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
            assertEquals(composed, qwen.decode(qwen.encode(text)));
            assertArrayEquals(qwen.encode(composed), qwen.encode(text));
            assertEquals(text, other.decode(other.encode(text)));
        }
    }

    @Test
    void specialTokensOnRequestButUserDefinedOnesAlways() {
        Tokenizer t = tokenizer(bytePairs("gpt-2", MERGES, "<|x|>", 3, "<think>", 4, "<unk>", 2, "<|x|>y", 3, "[PAD]", 5));
        assertEquals(List.of("a", "<", "|", "x", "|", ">", "<think>", "b"), pieces(t, t.encode("a<|x|><think>b")));
        assertEquals(List.of("a", "<|x|>", "<think>", "b", "<unk>"), pieces(t, t.encode("a<|x|><think>b<unk>", true)));
        assertEquals(List.of("<|x|>y", "<|x|>", "z"), pieces(t, t.encode("<|x|>y<|x|>z", true)), "the longest wins");
        assertEquals("a<think>b", t.decode(t.encode("a<|x|><think>b<unk>", true)));
        assertEquals("a<|x|>b", t.decode(t.encode("a<|x|>b", true), true));
        assertEquals(List.of("[", "P", "A", "D", "]"), pieces(t, t.encode("[PAD]", true)), "holes are not found");
        assertEquals("", t.decode(t.size() - 1));
        assertEquals("[PAD]", t.piece(t.size() - 1));
    }

    @Test
    void endMarkersAreControlUnlessMergesMakeThem() {
        List<String> merges = new ArrayList<>(MERGES);
        merges.addAll(List.of("< /", "</ s", "</s >"));
        Tokenizer t = tokenizer(bytePairs("qwen2", merges, "<|im_end|>", 1, "<|endoftext|>", 4, "<|end|>", 3, "<|other|>", 3));
        int n = t.size();
        assertEquals(List.of("</", "s", ">"), pieces(t, t.encode("</s>", true)), "an ordinary token, and its words come first");
        assertArrayEquals(new int[] {n - 4, n - 3, n - 2}, t.endOfGeneration());
        assertTrue(t.isControl(n - 4) && t.isControl(n - 3), "whatever the file says");
        assertArrayEquals(new int[] {n - 4}, t.encode("<|im_end|>", true));
        assertTrue(t.encode("<|endoftext|>").length > 1);
        Tokenizer harmony = tokenizer(bytePairs("gpt-4o", MERGES, "<|end|>", 3, "<|return|>", 3, "<|call|>", 3));
        assertArrayEquals(new int[] {harmony.size() - 2, harmony.size() - 1}, harmony.endOfGeneration());
    }

    @Test
    void beginAndEndTokens() {
        Metadata base = bytePairs("llama-bpe", MERGES, "<s>", 3, "<e>", 3, "<t>", 3);
        int begin = 256 + MERGES.size();
        assertFalse(tokenizer(base).addsBos(), "there is none to add");
        assertTrue(tokenizer(base).bos().isEmpty() && tokenizer(base).eos().isEmpty());
        Metadata with = base.with("tokenizer.ggml.bos_token_id", id(begin)).with("tokenizer.ggml.eos_token_id", id(begin + 1)).with(
                "tokenizer.ggml.eot_token_id",
                id(begin + 2));
        Tokenizer t = tokenizer(with);
        assertTrue(t.addsBos(), "the default of llama-bpe");
        assertEquals(begin, t.bos().getAsInt());
        assertArrayEquals(new int[] {begin + 1, begin + 2}, t.endOfGeneration());
        assertFalse(tokenizer(with.with("tokenizer.ggml.add_bos_token", MetadataValue.of(MetadataType.BOOL, false))).addsBos());
        assertFalse(tokenizer(with.with("tokenizer.ggml.pre", Vocabularies.text("gpt-2"))).addsBos());
        assertTrue(tokenizer(with.with("tokenizer.ggml.pre", Vocabularies.text("gpt-2")).with("tokenizer.ggml.add_bos_token",
                MetadataValue.of(MetadataType.BOOL, true))).addsBos());
    }

    @Test
    void tokensOutsideOfTheAlphabetAreText() {
        Tokenizer t = tokenizer(bytePairs("gpt-2", MERGES, "中文", 1));
        assertEquals("中文", t.decode(t.size() - 1));
    }

    private static MetadataValue id(int id) {
        return MetadataValue.of(MetadataType.UINT32, id);
    }
}
