package io.github.kvern.engine.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// How vocabularies spell bytes. SentencePiece's have tokens such as `<0x41>`. Byte-level ones have a visible character for each
/// byte: printable ASCII and most of Latin-1 stand for themselves, the other 68 bytes are U+0100 and up, in order, so that a space
/// is `Ġ` and a line feed `Ċ`.
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final short[] BYTES = new short[256 + 68];

    static {
        Arrays.fill(BYTES, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean visible = b >= 0x21 && b <= 0x7E || b >= 0xA1 && b <= 0xFF && b != 0xAD;
            CHARS[b] = (char) (visible ? b : next++);
            BYTES[CHARS[b]] = (short) b;
        }
    }

    private ByteAlphabet() {
    }

    /// The character for a byte.
    ///
    /// @param value 0 to 255
    static char spell(int value) {
        return CHARS[value];
    }

    /// The byte that a text such as `<0x41>` spells, or -1. Digits are capitals, so that no byte has two spellings.
    static int value(String text) {
        if (text.length() != 6 || !text.startsWith("<0x") || text.charAt(5) != '>') return -1;
        int high = "0123456789ABCDEF".indexOf(text.charAt(3));
        int low = "0123456789ABCDEF".indexOf(text.charAt(4));
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    /// The bytes that a token of a byte-level vocabulary spells. A token with a character outside of the alphabet was added as plain
    /// text and means that.
    static byte[] bytes(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = token.charAt(i);
            if (c >= BYTES.length || BYTES[c] < 0) return token.getBytes(StandardCharsets.UTF_8);
            bytes[i] = (byte) BYTES[c];
        }
        return bytes;
    }
}
