package io.github.kvern;

import java.util.Random;

/// Texts to tokenize by chance: words, odd spaces, digits, all of Unicode.
final class Texts {
    private static final String[] BITS = {" ", "  ", "\n", "\r\n", "\t", "'s", "'S", "'ll", "'\u017F", "don't", "123", "4567890", "X", "Ab",
            "aB", "the ",
            "é", "e\u0301", "中文", "々", "の", "한글", "नमस्ते", "السَّلَام", "...", "//", "\u00A0", "\u3000", "\u0085", "\u200B",
            "👨\u200D👩\u200D👧", "ß",
            "½", "_", "<|", "|>", "<|eot|>", "\u2581", "\u0120", "\u0000", "\uFEFF", "\uFFFD", "hahahahahahahahahahahahahahahahahahahaha"};

    private Texts() {
    }

    static String random(Random random, int most) {
        StringBuilder out = new StringBuilder();
        for (int n = random.nextInt(most); n > 0; n--) {
            if (random.nextBoolean()) out.append(BITS[random.nextInt(BITS.length)]);
            else out.appendCodePoint(random.nextInt(4) > 0 ? random.nextInt(0x20, 0x7F) : character(random));
        }
        return out.toString();
    }

    private static int character(Random random) {
        while (true) {
            int c = random.nextInt(random.nextBoolean() ? 0x3000 : Character.MAX_CODE_POINT + 1);
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) return c;
        }
    }
}
