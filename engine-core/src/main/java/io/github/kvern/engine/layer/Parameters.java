package io.github.kvern.engine.layer;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.UnsupportedModelException;
import java.util.Arrays;

/// The metadata keys that all families share, read and checked once.
///
/// @param prefix the architecture's name and a dot: where its keys start
/// @param layers `block_count`
/// @param width `embedding_length`
/// @param context `context_length`
/// @param vocabulary rows of the embedding
/// @param eps of the RMS norms
/// @param heads query heads, by layer
/// @param keyHeads key/value heads, by layer
/// @param headSize values in a head's query and key
/// @param valueSize values in a head's value
/// @param inner width inside a dense feed-forward part, by layer
/// @param experts routed experts, 0 for none
/// @param expertsUsed experts that a token uses
public record Parameters(String prefix, int layers, int width, int context, int vocabulary, float eps, int[] heads, int[] keyHeads,
        int headSize, int valueSize, int[] inner, int experts, int expertsUsed) {

    /// Reads them.
    ///
    /// @throws ModelFormatException a required key is missing or a value is out of range
    public static Parameters read(GgufFile file) {
        Metadata m = file.metadata();
        String p = m.requireString("general.architecture") + ".";
        Reader r = new Reader(file, m, p);
        int layers = r.number("block_count", 1, 4096);
        int width = r.number("embedding_length", 1, 1 << 20);
        int context = r.number("context_length", 1, Integer.MAX_VALUE);
        float eps = m.requireFloat(p + "attention.layer_norm_rms_epsilon");
        if (!(eps >= 0 && eps < 1)) throw r.wrong("attention.layer_norm_rms_epsilon", "0 to 1", "" + eps);
        int[] heads = r.perLayer("attention.head_count", layers, 1, 1 << 16);
        int[] keyHeads = m.contains(p + "attention.head_count_kv") ? r.perLayer("attention.head_count_kv", layers, 1, 1 << 16) : heads;
        for (int i = 0; i < layers; i++)
            if (heads[i] % keyHeads[i] != 0)
                throw r.wrong("attention.head_count_kv", "a divisor of head_count " + heads[i], "" + keyHeads[i]);
        if (!m.contains(p + "attention.key_length") && width % heads[0] != 0)
            throw r.wrong("attention.head_count", "a divisor of embedding_length " + width, "" + heads[0]);
        int headSize = r.number("attention.key_length", width / heads[0], 1, 1 << 14);
        int valueSize = r.number("attention.value_length", width / heads[0], 1, 1 << 14);
        int experts = r.number("expert_count", 0, 0, 1 << 16);
        int used = experts > 0 ? m.requireInt(p + "expert_used_count") : r.number("expert_used_count", 0, 0, 1 << 16);
        if (experts > 0 && (used < 1 || used > experts)) throw r.wrong("expert_used_count", "1 to expert_count " + experts, "" + used);
        int[] inner = r.perLayer("feed_forward_length", layers, 1, 1 << 24);
        long rows = PackedFile.rows(file, "token_embd.weight");
        if (rows < 1 || rows > 1 << 24)
            throw new ModelFormatException(
                    file.paths().getFirst() + ": tensor token_embd.weight: expected 1 to " + (1 << 24) + " rows, found " + rows);
        long declared = m.findInt(p + "vocab_size").orElse((int) rows);
        if (declared != rows) throw r.wrong("vocab_size", "the " + rows + " rows of token_embd.weight", "" + declared);
        return new Parameters(p, layers, width, context, (int) rows, eps, heads, keyHeads, headSize, valueSize, inner, experts, used);
    }

    /// A reader of further keys of this model.
    public Reader reader(GgufFile file) {
        return new Reader(file, file.metadata(), prefix);
    }

    /// Reads numbers with ranges.
    ///
    /// @param file for messages
    /// @param metadata where to read
    /// @param prefix what keys start with
    public record Reader(GgufFile file, Metadata metadata, String prefix) {
        /// Whether the file has this key.
        public boolean has(String key) {
            return metadata.contains(prefix + key);
        }

        /// A required integer.
        public int number(String key, int least, int most) {
            return range(key, metadata.requireInt(prefix + key), least, most);
        }

        /// An optional integer.
        public int number(String key, int absent, int least, int most) {
            return range(key, metadata.findInt(prefix + key).orElse(absent), least, most);
        }

        /// An optional float.
        public float real(String key, float absent) {
            double v = metadata.findFloat(prefix + key).orElse(absent);
            if (!Double.isFinite(v)) throw wrong(key, "a finite number", "" + v);
            return (float) v;
        }

        /// Refuses a file that asks for something that the family does not do.
        ///
        /// @param value what the key may say; 0 and an absent key say nothing
        public void expect(String key, int value) {
            float found = real(key, 0);
            if (found != 0 && found != value)
                throw new UnsupportedModelException(file.paths().getFirst() + ": key " + prefix + key + ": only " + value
                        + " is supported in this family, found " + found);
        }

        /// A number for each layer, or one for all.
        public int[] perLayer(String key, int layers, int least, int most) {
            int[] v = metadata.findInts(prefix + key).orElseGet(() -> new int[] {metadata.requireInt(prefix + key)});
            if (v.length == 1 && layers > 1) {
                int one = v[0];
                v = new int[layers];
                Arrays.fill(v, one);
            }
            if (v.length != layers) throw wrong(key, "a number, or one for each of the " + layers + " layers", v.length + " numbers");
            for (int n : v) range(key, n, least, most);
            return v;
        }

        private int range(String key, int value, int least, int most) {
            if (value < least || value > most) throw wrong(key, least + " to " + most, "" + value);
            return value;
        }

        /// What is thrown when a value cannot be right. If the file does not have the key, the value is what its absence means.
        public ModelFormatException wrong(String key, String expected, String found) {
            String absent = has(key) ? "" : "no such key, which means ";
            return new ModelFormatException(
                    file.paths().getFirst() + ": key " + prefix + key + ": expected " + expected + ", found " + absent + found);
        }
    }
}
