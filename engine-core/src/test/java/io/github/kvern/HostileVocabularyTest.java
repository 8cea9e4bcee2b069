package io.github.kvern;

import static io.github.kvern.Vocabularies.array;
import static io.github.kvern.Vocabularies.bytePairs;
import static io.github.kvern.Vocabularies.sentencePieces;
import static io.github.kvern.Vocabularies.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.UnsupportedModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Vocabularies that do not fit together are refused in one line that names the key, and what we do not know by its name.
class HostileVocabularyTest {
    private static final Metadata BYTE_PAIRS = bytePairs("gpt-2", List.of("h e", "l l", "he ll"), "<s>", 3);
    private static final Metadata SENTENCE_PIECES = sentencePieces(true, List.of("_", "a", "_a"));

    @Test
    void unknownKindsAreNamed() {
        assertRefused(UnsupportedModelException.class, BYTE_PAIRS.with("tokenizer.ggml.model", text("bert")), "tokenizer.ggml.model",
                "\"bert\"", "gpt2");
        assertRefused(UnsupportedModelException.class, BYTE_PAIRS.with("tokenizer.ggml.model", text("a\nb")), "tokenizer.ggml.model",
                "gpt2");
        assertRefused(UnsupportedModelException.class, BYTE_PAIRS.with("tokenizer.ggml.pre", text("klingon")), "tokenizer.ggml.pre",
                "\"klingon\"", "llama-bpe",
                "deepseek-v3", "gpt-4o");
    }

    @Test
    void keysThatAreMissing() {
        for (String key : List.of("model", "tokens", "merges"))
            assertRefused(ModelFormatException.class, without(BYTE_PAIRS, key), "tokenizer.ggml." + key);
        for (String key : List.of("tokens", "scores"))
            assertRefused(ModelFormatException.class, without(SENTENCE_PIECES, key), "tokenizer.ggml." + key);
        Vocabularies.tokenizer(without(BYTE_PAIRS, "pre")); // words are cut in the default way then
        Vocabularies.tokenizer(without(BYTE_PAIRS, "token_type"));
    }

    @Test
    void keysOfAnotherType() {
        for (String key : List.of("model", "pre", "tokens", "token_type", "merges"))
            assertRefused(ModelFormatException.class, BYTE_PAIRS.with("tokenizer.ggml." + key, MetadataValue.of(MetadataType.UINT8, 1)),
                    "tokenizer.ggml." + key);
        assertRefused(ModelFormatException.class, BYTE_PAIRS.with("tokenizer.ggml.add_bos_token", text("yes")),
                "tokenizer.ggml.add_bos_token");
        assertRefused(ModelFormatException.class, SENTENCE_PIECES.with("tokenizer.ggml.add_space_prefix", text("yes")),
                "tokenizer.ggml.add_space_prefix");
        assertRefused(ModelFormatException.class, SENTENCE_PIECES.with("tokenizer.ggml.scores", text("high")), "tokenizer.ggml.scores");
    }

    @Test
    void tokensThatCannotBe() {
        assertRefused(ModelFormatException.class, tokens(BYTE_PAIRS, t -> List.of()), "tokenizer.ggml.tokens", "found none");
        assertRefused(ModelFormatException.class, tokens(BYTE_PAIRS, t -> replaced(t, 'b', "c")), "tokenizer.ggml.tokens", "\"c\"",
                "token 98", "token 99");
        assertRefused(ModelFormatException.class, tokens(BYTE_PAIRS, t -> replaced(t, 'q', "qqq")), "tokenizer.ggml.tokens", "byte 0x71",
                "\"q\"");
        assertRefused(ModelFormatException.class, tokens(SENTENCE_PIECES, t -> replaced(t, 3 + 0x41, "<0xZZ>")), "tokenizer.ggml.tokens",
                "<0xZZ>", "token 68");
        assertRefused(ModelFormatException.class, tokens(SENTENCE_PIECES, t -> replaced(t, 3 + 0xAB, "<0xab>")), "tokenizer.ggml.tokens",
                "<0xab>");
        Vocabularies.tokenizer(tokens(BYTE_PAIRS, t -> replaced(t, 0xC0, "a byte that UTF-8 never has")));
        Tokenizer holes = Vocabularies.tokenizer(tokens(BYTE_PAIRS, t -> replaced(t, 259, "")));
        assertEquals("", holes.decode(259));
    }

    @Test
    void listsOfOtherLengths() {
        for (int n : new int[] {0, 259, 261})
            assertRefused(ModelFormatException.class,
                    BYTE_PAIRS.with("tokenizer.ggml.token_type", array(MetadataType.INT32, Collections.nCopies(n, 1))),
                    "tokenizer.ggml.token_type", "260", "found " + n);
        for (int n : new int[] {0, 261, 263})
            assertRefused(ModelFormatException.class,
                    SENTENCE_PIECES.with("tokenizer.ggml.scores", array(MetadataType.FLOAT32, Collections.nCopies(n, 1f))),
                    "tokenizer.ggml.scores", "262", "found " + n);
    }

    @Test
    void valuesOutOfRange() {
        for (int type : new int[] {-1, 7, 1 << 30}) {
            List<Integer> types = new ArrayList<>(Collections.nCopies(260, 1));
            types.set(5, type);
            assertRefused(ModelFormatException.class, BYTE_PAIRS.with("tokenizer.ggml.token_type", array(MetadataType.INT32, types)),
                    "token_type", type + " for token 5");
        }
        List<Float> scores = new ArrayList<>(Collections.nCopies(262, 0f));
        scores.set(7, Float.NaN);
        assertRefused(ModelFormatException.class, SENTENCE_PIECES.with("tokenizer.ggml.scores", array(MetadataType.FLOAT32, scores)),
                "scores", "NaN for token 7");
        for (String key : List.of("bos_token_id", "eos_token_id", "eot_token_id", "eom_token_id")) {
            for (long id : new long[] {-1, 260, Integer.MAX_VALUE, 1L << 40})
                assertRefused(ModelFormatException.class,
                        BYTE_PAIRS.with("tokenizer.ggml." + key, MetadataValue.of(MetadataType.INT64, id)), "tokenizer.ggml." + key,
                        "found");
        }
        assertRefused(ModelFormatException.class,
                SENTENCE_PIECES.with("tokenizer.ggml.unknown_token_id", MetadataValue.of(MetadataType.INT64, 262)), "unknown_token_id");
        assertRefused(ModelFormatException.class,
                BYTE_PAIRS.with("tokenizer.ggml.add_bos_token", MetadataValue.of(MetadataType.BOOL, true)), "bos_token_id");
    }

    @Test
    void mergesThatAreNone() {
        for (String merge : List.of("", " ", "h", "he", " h e", "h e ", "h  e", "h e l", "h ", " e"))
            assertRefused(ModelFormatException.class, merges(List.of("h e", merge)), "tokenizer.ggml.merges", "merge 1",
                    "a space between them");
        assertRefused(ModelFormatException.class, merges(List.of("h e", "xyz e")), "tokenizer.ggml.merges", "\"xyz e\"",
                "the left is no token");
        assertRefused(ModelFormatException.class, merges(List.of("h e", "h xyz")), "tokenizer.ggml.merges", "the right is no token");
        assertRefused(ModelFormatException.class, merges(List.of("h e", "e h")), "tokenizer.ggml.merges", "the product is no token");
        Tokenizer twice = Vocabularies.tokenizer(merges(List.of("h e", "h e")));
        assertEquals(List.of("he"), Vocabularies.pieces(twice, twice.encode("he")));
        assertEquals(2, Vocabularies.tokenizer(merges(List.of())).encode("he").length);
    }

    @Test
    void noBytesAndNoUnknownToken() {
        Metadata none = sentencePieces(false, List.of("a"));
        assertRefused(ModelFormatException.class, none.with("tokenizer.ggml.token_type", array(MetadataType.INT32, List.of(1, 3, 3, 1))),
                "tokenizer.ggml.tokens",
                "neither");
        List<String> some = Vocabularies.tokens(SENTENCE_PIECES);
        some.set(3 + 0x41, "A");
        List<Integer> types = new ArrayList<>(Collections.nCopies(262, 1));
        for (int b = 0; b < 256; b++) types.set(3 + b, b == 0x41 ? 1 : 6);
        assertRefused(ModelFormatException.class,
                SENTENCE_PIECES.with("tokenizer.ggml.tokens", array(MetadataType.STRING, some)).with("tokenizer.ggml.token_type",
                        array(MetadataType.INT32, types)),
                "tokenizer.ggml.tokens", "<0x41>");
    }

    /// Anything may be wrong at once: no other exception comes out than the two kinds.
    @Test
    void randomDamage() {
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            Metadata metadata = random.nextBoolean() ? BYTE_PAIRS : SENTENCE_PIECES;
            List<String> keys = List.copyOf(metadata.keys());
            for (int n = random.nextInt(1, 4); n > 0; n--) metadata = metadata.with(keys.get(random.nextInt(keys.size())), junk(random));
            try {
                Tokenizer t = Vocabularies.tokenizer(metadata);
                t.decode(t.encode(Texts.random(random, 40), true), true);
            } catch (ModelFormatException | UnsupportedModelException e) {
                assertTrue(e.getMessage().lines().count() == 1, "seed " + seed);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static MetadataValue junk(Random random) {
        int n = random.nextInt(300);
        List<Object> values = new ArrayList<>();
        switch (random.nextInt(5)) {
            case 0 -> {
                for (int i = 0; i < n; i++) values.add(Texts.random(random, 4));
                return array(MetadataType.STRING, values);
            }
            case 1 -> {
                for (int i = 0; i < 260 + random.nextInt(3); i++) values.add(random.nextInt(0, 7));
                return array(MetadataType.INT32, values);
            }
            case 2 -> {
                for (int i = 0; i < 260 + random.nextInt(3); i++) values.add(Float.intBitsToFloat(random.nextInt()));
                return array(MetadataType.FLOAT32, values);
            }
            case 3 -> {
                return text(random.nextBoolean() ? "gpt2" : "llama");
            }
            default -> {
                return MetadataValue.of(MetadataType.INT64, random.nextLong());
            }
        }
    }

    private static void assertRefused(Class<? extends KvernException> kind, Metadata metadata, String... words) {
        KvernException e = assertThrows(kind, () -> Vocabularies.tokenizer(metadata));
        for (String word : words) assertTrue(e.getMessage().contains(word), () -> word + " is not in: " + e.getMessage());
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    }

    private static Metadata merges(List<String> merges) {
        return BYTE_PAIRS.with("tokenizer.ggml.merges", array(MetadataType.STRING, merges));
    }

    private static Metadata tokens(Metadata metadata, UnaryOperator<List<String>> change) {
        return metadata.with("tokenizer.ggml.tokens", array(MetadataType.STRING, change.apply(Vocabularies.tokens(metadata))));
    }

    private static List<String> replaced(List<String> tokens, int id, String text) {
        tokens.set(id, text);
        return tokens;
    }

    private static Metadata without(Metadata metadata, String key) {
        Metadata less = Metadata.of(Map.of());
        for (String k : metadata.keys()) if (!k.equals("tokenizer.ggml." + key)) less = less.with(k, metadata.find(k).orElseThrow());
        return less;
    }
}
