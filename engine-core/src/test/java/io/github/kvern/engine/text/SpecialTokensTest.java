package io.github.kvern.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpecialTokensTest {
    @Test
    void theLeftmostAndThenTheLongest() {
        SpecialTokens tokens = find(List.of("<a>", "<a>b", "b<c>", "<", "\uD83D\uDE00"));
        assertEquals(at(1, 1), tokens.find("x<a>b<c>", 0));
        assertEquals(at(5, 3), tokens.find("x<a>b<c>", 5));
        assertEquals(at(0, 2), tokens.find("b<c>", 0));
        assertEquals(at(1, 3), tokens.find("b<c", 0));
        assertEquals(at(1, 4), tokens.find("x\uD83D\uDE00", 0));
        assertEquals(-1, tokens.find("b<c>", 4));
        assertEquals(-1, tokens.find("xyz", 0));
        assertEquals(-1, tokens.find("", 0));
        assertEquals(-1, find(List.of()).find("<a>", 0));
    }

    @ParameterizedTest
    @ValueSource(longs = {41, 42, 43})
    void asByLookingForEach(long seed) {
        Random random = new Random(seed);
        Set<String> some = new LinkedHashSet<>();
        while (some.size() < 800) some.add(text(random, 1 + random.nextInt(7)));
        List<String> all = new ArrayList<>(some);
        SpecialTokens tokens = find(all);
        for (int round = 0; round < 500; round++) {
            String text = text(random, 30);
            int from = random.nextInt(30);
            long expected = -1;
            for (int i = from; i < text.length() && expected < 0; i++) {
                int best = -1;
                for (int id = 0; id < all.size(); id++)
                    if (text.startsWith(all.get(id), i) && (best < 0 || all.get(id).length() > all.get(best).length())) best = id;
                if (best >= 0) expected = at(i, best);
            }
            assertEquals(expected, tokens.find(text, from), "seed " + seed + ", " + text + " from " + from);
        }
    }

    private static String text(Random random, int length) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < length; i++) out.append("abcd<>|中".charAt(random.nextInt(8)));
        return out.toString();
    }

    private static long at(int place, int id) {
        return (long) place << 32 | id;
    }

    private static SpecialTokens find(List<String> texts) {
        List<String> all = new ArrayList<>(texts);
        all.add("a vocabulary has at least one token");
        Metadata metadata = Metadata
                .of(Map.of("tokenizer.ggml.model", MetadataValue.of(MetadataType.STRING, "gpt2"), "tokenizer.ggml.tokens",
                        MetadataValue.of(MetadataType.ARRAY, MetadataArray.of(MetadataType.STRING, all))));
        return SpecialTokens.of(Vocabulary.read(metadata, "test"), IntStream.range(0, texts.size()).toArray());
    }
}
