package io.github.kvern.engine.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns bytes that come bit by bit into text, and never hands out half a character: the bytes of an unfinished one are held back.
/// Bytes that are no UTF-8 become U+FFFD, exactly as when all bytes are decoded at once. Not thread-safe.
public final class Utf8Stream {
    private static final byte[] NOTHING = {};

    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] held = NOTHING;

    /// Takes more bytes; the text that is complete now, possibly none.
    public String append(byte[] bytes) {
        return decode(bytes, false);
    }

    /// Whether bytes of an unfinished character are held back.
    public boolean holds() {
        return held.length > 0;
    }

    /// Ends the text: what an unfinished character at its end becomes, empty when there is none. Afterwards a new text can begin.
    public String finish() {
        String rest = decode(NOTHING, true);
        decoder.reset();
        return rest;
    }

    private String decode(byte[] bytes, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(held.length + bytes.length).put(held).put(bytes).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1); // no byte makes more than one char
        decoder.decode(in, out, last);
        if (last) decoder.flush(out);
        held = new byte[in.remaining()];
        in.get(held);
        return out.flip().toString();
    }
}
