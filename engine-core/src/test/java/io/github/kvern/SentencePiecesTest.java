package io.github.kvern;

import static io.github.kvern.Vocabularies.pieces;
import static io.github.kvern.Vocabularies.sentencePieces;
import static io.github.kvern.Vocabularies.tokenizer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// SentencePiece BPE over vocabularies small enough to merge in one's head.
class SentencePiecesTest {
    private static final List<
            String> PIECES = List.of("_t", "he", "_the", "ll", "_a", "__", "_", "t", "h", "e", "l", "o", "a", "b", "é", "😀", "hello");

    @Test
    void scoresDecideAndASpaceComesFirst() {
        Tokenizer t = tokenizer(sentencePieces(true, PIECES));
        assertEquals(List.of("_the", "_", "he", "ll", "o"), pieces(t, t.encode("the hello")));
        assertEquals(List.of("_a", "_", "_the"), pieces(t, t.encode("a  the")), "a better score than two spaces");
        assertEquals(List.of("__", "_", "é"), pieces(t, t.encode("  é")));
        assertEquals("the hello", t.decode(t.encode("the hello")));
        assertEquals(" a", t.decode(t.encode(" a")));
        assertArrayEquals(new int[0], t.encode(""));
        assertTrue(t.addsBos());
        assertEquals(1, t.bos().getAsInt());
        assertEquals(2, t.eos().getAsInt());
        assertArrayEquals(new int[] {2}, t.endOfGeneration());
    }

    @Test
    void noSpaceWhenTheFileSaysSo() {
        Metadata metadata = sentencePieces(true, PIECES).with("tokenizer.ggml.add_space_prefix",
                MetadataValue.of(MetadataType.BOOL, false));
        Tokenizer t = tokenizer(metadata);
        assertEquals(List.of("t", "he"), pieces(t, t.encode("the")));
        assertEquals(" the", t.decode(t.encode(" the")));
    }

    @Test
    void charactersWithoutTokenBecomeBytes() {
        Tokenizer t = tokenizer(sentencePieces(true, PIECES));
        assertEquals(List.of(3 + 256 + PIECES.indexOf("_"), 3 + 0xE4, 3 + 0xB8, 3 + 0xAD, 3 + 0x0A),
                Arrays.stream(t.encode("中\n")).boxed().toList());
        assertEquals("中\n", t.decode(t.encode("中\n")));
        assertArrayEquals(new byte[] {(byte) 0xE4}, t.bytes(3 + 0xE4));
        assertEquals("\uFFFD", t.piece(3 + 0xE4));
        assertEquals("é😀", t.decode(t.encode("é😀")));
    }

    @Test
    void withoutBytesTheyAreUnknown() {
        Tokenizer t = tokenizer(sentencePieces(false, PIECES));
        assertEquals(List.of("_a", "<unk>", "b", "<unk>"), pieces(t, t.encode("a中文b!")), "once for all in a row");
        assertEquals("ab", t.decode(t.encode("a中文b!")));
    }

    @Test
    void textSpellsNoSpecialTokens() {
        List<String> all = new ArrayList<>(PIECES);
        all.addAll(List.of("<", "s", ">", "<s", "/", "</", "</s", "0", "x", "1", "<0", "<0x", "<0x4", "<0x41"));
        Tokenizer t = tokenizer(sentencePieces(true, all));
        assertEquals(List.of("_", "<s", ">", "</s", ">", "<0x41", ">"), pieces(t, t.encode("<s></s><0x41>")));
        assertEquals(List.of("<s>", "_a", "</s>", "_", "b"), pieces(t, t.encode("<s>a</s>b", true)), "a space after each special token");
        assertEquals("<s> a</s> b", t.decode(t.encode("<s>a</s>b", true), true));
        assertEquals("a b", t.decode(t.encode("<s>a</s>b", true)), "the first token that is written loses its space");
    }

    @Test
    void aDecoderKeepsTheFirstSpace() {
        Tokenizer t = tokenizer(sentencePieces(true, PIECES));
        TokenDecoder decoder = t.decoder(false);
        assertEquals(" the", decoder.append(t.encode("the")[0]));
        assertEquals("", decoder.finish());
    }

    /// Words are worked on one by one unless a token spans words: both ways against the definition.
    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23, 24, 25, 26})
    void mergingIsAsDefined(long seed) {
        Random random = new Random(seed);
        List<String> all = new ArrayList<>(List.of("a", "b", "_", "😀"));
        while (all.size() < 40) {
            String joined = all.get(random.nextInt(all.size())) + all.get(random.nextInt(all.size()));
            boolean spans = joined.replaceFirst("^_+", "").contains("_");
            if (joined.length() <= 8 && !all.contains(joined) && (seed % 2 == 0 || !spans)) all.add(joined);
        }
        List<String> shuffled = new ArrayList<>(all.subList(4, all.size()));
        Collections.shuffle(shuffled, random);
        shuffled.addAll(all.subList(0, 4));
        Tokenizer t = tokenizer(sentencePieces(true, shuffled));
        for (int length = 1; length < 100; length++) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < length; i++) text.append(new String[] {"a", "b", " ", "😀"}[random.nextInt(4)]);
            assertEquals(merge(" " + text, shuffled), pieces(t, t.encode(text.toString())), "seed " + seed + ", text " + text);
            assertEquals(text.toString(), t.decode(t.encode(text.toString())), "seed " + seed);
        }
    }

    /// One merge at a time: the piece that is listed first of all that two neighbours make, the leftmost of equal ones.
    private static List<String> merge(String text, List<String> pieces) {
        List<String> parts = new ArrayList<>();
        text.replace(' ', '_').codePoints().forEach(c -> parts.add(Character.toString(c)));
        while (true) {
            int best = pieces.size();
            int at = -1;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int rank = pieces.indexOf(parts.get(i) + parts.get(i + 1));
                if (rank < 0 || rank >= best) continue;
                best = rank;
                at = i;
            }
            if (at < 0) return parts;
            parts.set(at, parts.get(at) + parts.remove(at + 1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "中", "😀", "ab", "a "})
    void longRunsEnd(String unit) {
        String text = unit.repeat(500_000);
        for (List<String> pieces : List.of(List.of("a", "aa", "aaaa", "_", "__", "____"), List.of("a", "b", "_", "a_", "a_a_", "aa"))) {
            Tokenizer t = tokenizer(sentencePieces(true, pieces));
            assertEquals(text, t.decode(t.encode(text)));
        }
    }

    @Test
    void bytesAreKnownByTheirSpellingWhenTheFileHasNoTypes() {
        Metadata typed = sentencePieces(true, PIECES);
        Metadata untyped = Metadata.of(Map.of());
        for (String key : typed.keys()) if (!key.endsWith("token_type")) untyped = untyped.with(key, typed.find(key).orElseThrow());
        Tokenizer t = tokenizer(untyped);
        assertEquals("中", t.decode(t.encode("中")));
    }
}
