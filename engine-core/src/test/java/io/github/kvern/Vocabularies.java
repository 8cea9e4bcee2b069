package io.github.kvern;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Small vocabularies made by hand.
final class Vocabularies {
    private Vocabularies() {
    }

    /// A byte-level vocabulary: 256 bytes, what the merges make, and then the added tokens.
    ///
    /// @param merges `left right` in plain text, where `_` is a space; both halves are bytes or made by an earlier merge
    /// @param added token and type in turn
    static Metadata bytePairs(String pre, List<String> merges, Object... added) {
        List<String> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) tokens.add(spell(new byte[] {(byte) b}));
        List<String> spelled = new ArrayList<>();
        for (String merge : merges) {
            String[] halves = merge.split(" ");
            String left = spell(halves[0].replace('_', ' '));
            String right = spell(halves[1].replace('_', ' '));
            spelled.add(left + " " + right);
            if (!tokens.contains(left + right)) tokens.add(left + right);
        }
        List<Integer> types = new ArrayList<>(Collections.nCopies(tokens.size(), 1));
        for (int i = 0; i < added.length; i += 2) {
            tokens.add((String) added[i]);
            types.add((Integer) added[i + 1]);
        }
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        values.put("tokenizer.ggml.model", text("gpt2"));
        values.put("tokenizer.ggml.pre", text(pre));
        values.put("tokenizer.ggml.tokens", array(MetadataType.STRING, tokens));
        values.put("tokenizer.ggml.token_type", array(MetadataType.INT32, types));
        values.put("tokenizer.ggml.merges", array(MetadataType.STRING, spelled));
        return Metadata.of(values);
    }

    /// A SentencePiece vocabulary: `<unk>`, `<s>`, `</s>`, 256 bytes if wanted, and then the pieces with falling scores.
    ///
    /// @param pieces in plain text, where `_` is a space
    static Metadata sentencePieces(boolean bytes, List<String> pieces) {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        for (int b = 0; b < 256 && bytes; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6);
        }
        List<Float> scores = new ArrayList<>(Collections.nCopies(tokens.size(), 0f));
        for (String piece : pieces) {
            tokens.add(piece.replace('_', '\u2581'));
            types.add(1);
            scores.add(-(float) scores.size());
        }
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        values.put("tokenizer.ggml.model", text("llama"));
        values.put("tokenizer.ggml.tokens", array(MetadataType.STRING, tokens));
        values.put("tokenizer.ggml.token_type", array(MetadataType.INT32, types));
        values.put("tokenizer.ggml.scores", array(MetadataType.FLOAT32, scores));
        return Metadata.of(values);
    }

    static Tokenizer tokenizer(Metadata metadata) {
        return Tokenizer.of(metadata, "made by hand");
    }

    static MetadataValue text(String value) {
        return MetadataValue.of(MetadataType.STRING, value);
    }

    static MetadataValue array(MetadataType type, List<?> values) {
        return MetadataValue.of(MetadataType.ARRAY, MetadataArray.of(type, values));
    }

    static List<String> tokens(Metadata metadata) {
        return new ArrayList<>(metadata.requireStrings("tokenizer.ggml.tokens"));
    }

    /// The way byte-level vocabularies write bytes.
    static String spell(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) {
            int value = b & 0xFF;
            int hidden = value <= 0x20 ? value : value >= 0x7F && value <= 0xA0 ? value - 0x7F + 33 : value == 0xAD ? 67 : -1;
            out.append((char) (hidden < 0 ? value : 256 + hidden));
        }
        return out.toString();
    }

    static String spell(String text) {
        return spell(text.getBytes(StandardCharsets.UTF_8));
    }

    /// What the ids are called, for comparing: a space is shown as `_`.
    static List<String> pieces(Tokenizer tokenizer, int... ids) {
        List<String> pieces = new ArrayList<>();
        for (int id : ids) pieces.add(tokenizer.piece(id).replace(' ', '_'));
        return pieces;
    }
}
