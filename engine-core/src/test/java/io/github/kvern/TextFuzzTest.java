package io.github.kvern;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.kvern.engine.sample.StopStrings;
import io.github.kvern.engine.text.Utf8Stream;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Text in and out: any vocabulary with any text, any bytes in any pieces, any stop strings. A plain test run replays the corpus
/// beside this test; with `JAZZER_FUZZ=1` in the environment Jazzer searches on.
class TextFuzzTest {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final List<
            String> PRE = List.of("llama-bpe", "smaug-bpe", "llama4", "qwen2", "deepseek-v3", "kimi-k2", "gpt-2", "default", "no such");
    private static final List<
            String> IDS = List.of("bos_token_id", "eos_token_id", "eot_token_id", "eom_token_id", "unknown_token_id", "padding_token_id");
    private static final List<String> FLAGS = List.of("add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces");

    /// A vocabulary is refused, or encodes every text to tokens that it has, and decodes them.
    @FuzzTest(maxDuration = "3m")
    void vocabulary(FuzzedDataProvider data) {
        Tokenizer tokenizer;
        try {
            tokenizer = Tokenizer.of(metadata(data), "f.gguf");
        } catch (KvernException e) {
            String message = String.valueOf(e.getMessage());
            if (!message.contains("f.gguf") && !message.startsWith("metadata: ") || message.lines().count() != 1 || message.length() > 2000)
                throw new AssertionError("not one short line that names the file: " + message, e);
            return;
        }
        boolean special = data.consumeBoolean();
        int times = data.consumeInt(0, 40) == 0 ? 200 : 1;
        use(tokenizer, data.consumeRemainingAsString().repeat(times), special);
    }

    private static final List<Tokenizer> GOOD = PRE.stream().filter(pre -> !pre.equals("no such"))
            .map(pre -> Vocabularies.bytePairs(pre, List.of("a b", "ab c", "_ a", "_a b"), "<s>", 3, "<x>", 4, "</s>", 3))
            .map(Vocabularies::tokenizer).toList();
    private static final List<Tokenizer> PIECES = List.of(true, false).stream()
            .map(bytes -> Vocabularies.sentencePieces(bytes, List.of("a", "b", "ab", "_", "_a", "_ab", "<x>")))
            .map(Vocabularies::tokenizer).toList();

    /// Vocabularies that work, made once: any text becomes tokens that there are, the same each time, and tokens become text.
    @FuzzTest(maxDuration = "3m")
    void encode(FuzzedDataProvider data) {
        Tokenizer tokenizer = data.consumeBoolean() ? data.pickValue(GOOD) : data.pickValue(PIECES);
        boolean special = data.consumeBoolean();
        String text = data.consumeRemainingAsString();
        use(tokenizer, text, special);
        if (GOOD.contains(tokenizer) && !special) { // every byte is a token: nothing is lost but, for some, how a character is composed
            String back = composed(tokenizer.decode(tokenizer.encode(text, false), true));
            if (!back.endsWith(composed(text(text)))) throw new AssertionError(back + ", expected " + text);
        }
    }

    private static String composed(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC);
    }

    private static Metadata metadata(FuzzedDataProvider data) {
        if (data.consumeInt(0, 3) > 0) { // one that works, but for a few keys
            Metadata good = data.consumeBoolean()
                    ? Vocabularies.bytePairs(data.pickValue(PRE), List.of("a b", "ab c", "_ a", "_a b"), "<s>", 3, "<x>", 4, "</s>", 3)
                    : Vocabularies.sentencePieces(data.consumeBoolean(), List.of("a", "b", "ab", "_", "_a", "_ab", "<x>"));
            for (int n = data.consumeInt(0, 2); n > 0; n--) good = changed(good, data);
            return good;
        }
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        values.put(PREFIX + "model", MetadataValue.of(MetadataType.STRING, data.consumeBoolean() ? "gpt2" : "llama"));
        values.put(PREFIX + "pre", MetadataValue.of(MetadataType.STRING, data.pickValue(PRE)));
        List<String> tokens = new ArrayList<>();
        for (int n = data.consumeInt(0, 12); n > 0; n--) tokens.add(text(data.consumeString(6)));
        values.put(PREFIX + "tokens", array(MetadataType.STRING, tokens));
        if (data.consumeBoolean()) values.put(PREFIX + "token_type", array(MetadataType.INT32, ints(data, tokens.size(), 7)));
        if (data.consumeBoolean()) values.put(PREFIX + "scores", array(MetadataType.FLOAT32, floats(data, tokens.size())));
        List<String> merges = new ArrayList<>();
        for (int n = data.consumeInt(0, 6); n > 0; n--)
            merges.add(tokens.isEmpty() ? " " : data.pickValue(tokens) + " " + data.pickValue(tokens));
        values.put(PREFIX + "merges", array(MetadataType.STRING, merges));
        Metadata made = Metadata.of(values);
        for (int n = data.consumeInt(0, 3); n > 0; n--) made = changed(made, data);
        return made;
    }

    private static Metadata changed(Metadata metadata, FuzzedDataProvider data) {
        return switch (data.consumeInt(0, 5)) {
            case 0 -> metadata.with(PREFIX + data.pickValue(IDS), MetadataValue.of(MetadataType.INT64, data.consumeLong(-2, 300)));
            case 1 -> metadata.with(PREFIX + data.pickValue(FLAGS), MetadataValue.of(MetadataType.BOOL, data.consumeBoolean()));
            case 2 -> metadata.without(data.pickValue(List.copyOf(metadata.keys())));
            case 3 -> {
                String key = data.pickValue(new String[] {"tokens", "merges"});
                List<String> texts = new ArrayList<>(metadata.findStrings(PREFIX + key).orElse(List.of("x")));
                if (!texts.isEmpty()) texts.set(data.consumeInt(0, texts.size() - 1), text(data.consumeString(8)));
                yield metadata.with(PREFIX + key, array(MetadataType.STRING, texts));
            }
            case 4 -> metadata.with(PREFIX + "scores", array(MetadataType.FLOAT32, floats(data, data.consumeInt(0, 300))));
            default -> metadata.with(PREFIX + "token_type", array(MetadataType.INT32, ints(data, data.consumeInt(0, 300), 7)));
        };
    }

    private static void use(Tokenizer tokenizer, String text, boolean special) {
        int[] ids = tokenizer.encode(text, special);
        TokenDecoder decoder = tokenizer.decoder(special);
        for (int id : ids) {
            if (id < 0 || id >= tokenizer.size()) throw new AssertionError("no token: " + id);
            decoder.append(id);
            tokenizer.isEndOfGeneration(id);
        }
        decoder.finish();
        tokenizer.decode(ids, special);
        for (int id = 0; id < tokenizer.size(); id++) tokenizer.piece(id);
        if (!Arrays.equals(ids, tokenizer.encode(text, special))) throw new AssertionError("other tokens the second time");
    }

    private static MetadataValue array(MetadataType type, List<?> values) {
        return MetadataValue.of(MetadataType.ARRAY, MetadataArray.of(type, values));
    }

    private static List<Integer> ints(FuzzedDataProvider data, int count, int most) {
        List<Integer> ints = new ArrayList<>();
        for (int i = 0; i < count; i++) ints.add(data.consumeInt(-1, most));
        return ints;
    }

    private static List<Float> floats(FuzzedDataProvider data, int count) {
        List<Float> floats = new ArrayList<>();
        for (int i = 0; i < count; i++) floats.add(data.consumeFloat());
        return floats;
    }

    /// What metadata can hold: no half characters.
    private static String text(String any) {
        return new String(any.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    /// Bytes in pieces give the text that they give at once.
    @FuzzTest(maxDuration = "3m")
    void utf8Stream(FuzzedDataProvider data) {
        byte[] cuts = data.consumeBytes(16);
        byte[] all = data.consumeRemainingAsBytes();
        Utf8Stream stream = new Utf8Stream();
        StringBuilder text = new StringBuilder();
        int at = 0;
        for (byte cut : cuts) {
            int end = Math.min(all.length, at + (cut & 15));
            text.append(stream.append(Arrays.copyOfRange(all, at, end)));
            at = end;
        }
        text.append(stream.append(Arrays.copyOfRange(all, at, all.length))).append(stream.finish());
        String expected = new String(all, StandardCharsets.UTF_8);
        if (!expected.contentEquals(text) || stream.holds()) throw new AssertionError(text + ", expected " + expected);
    }

    /// Text in pieces ends where the first stop string begins.
    @FuzzTest(maxDuration = "3m")
    void stopStrings(FuzzedDataProvider data) {
        List<String> stops = new ArrayList<>();
        for (int n = data.consumeInt(0, 4); n > 0; n--) stops.add(data.consumeString(5));
        stops.removeIf(String::isEmpty);
        StopStrings stop = new StopStrings(stops);
        StringBuilder fed = new StringBuilder(), shown = new StringBuilder();
        while (data.remainingBytes() > 0 && !stop.stopped()) {
            String piece = data.consumeString(4);
            fed.append(piece);
            shown.append(stop.append(piece));
        }
        boolean stopped = stop.stopped();
        shown.append(stop.finish());
        String text = fed.toString();
        int first = stops.stream().mapToInt(text::indexOf).filter(i -> i >= 0).min().orElse(-1);
        if (stopped && first < 0) throw new AssertionError("stopped without a stop string: " + text + " " + stops);
        String expected = first < 0 ? text : text.substring(0, first);
        if (!expected.contentEquals(shown)) throw new AssertionError(shown + ", expected " + expected + " of " + text + " with " + stops);
    }
}
