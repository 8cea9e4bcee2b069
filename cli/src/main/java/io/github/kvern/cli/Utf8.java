package io.github.kvern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// Reads text strictly: a prompt that is no UTF-8 is a mistake to tell, not to paper over.
final class Utf8 {
    /// More than any context holds; what is longer was not meant as a prompt (`/dev/zero`).
    private static final int MOST_BYTES = 256 << 20;

    private Utf8() {
    }

    /// All text of a file.
    static String read(String file) {
        try (InputStream in = open(file)) {
            return read(in, file);
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }

    /// A file that the command line names.
    static InputStream open(String file) {
        try {
            Path path = Path.of(file);
            if (Files.isDirectory(path)) throw Failures.usage("cannot read " + file + ": expected a file, found a directory");
            return Files.newInputStream(path);
        } catch (InvalidPathException e) {
            throw Failures.usage("cannot read " + file + ": not a file name in this locale");
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }

    /// A file that the command line names, and that need not be there.
    static Path path(String file) {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            throw Failures.usage("not a file name in this locale: " + file);
        }
    }

    /// All text of a stream.
    static String read(InputStream in, String what) {
        try {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) throw Failures.usage(what + " is longer than " + (MOST_BYTES >> 20) + " MiB");
            return decode(bytes, what, 0);
        } catch (IOException e) {
            throw Failures.input(e);
        }
    }

    /// These bytes as text.
    ///
    /// @param at where in `what` they begin, for the message
    static String decode(byte[] bytes, String what, long at) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        if (!result.isUnderflow()) {
            throw Failures.usage("%s: expected UTF-8, found byte 0x%02X at byte offset %d"
                    .formatted(what, bytes[in.position()], at + in.position()));
        }
        return out.flip().toString();
    }

    /// Checks that text from inside the JVM has no half surrogate pairs, which no UTF-8 can hold.
    static String whole(String text, String what) {
        try {
            StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return text;
        } catch (CharacterCodingException e) {
            throw Failures.usage(what + ": expected whole characters, found half of a surrogate pair");
        }
    }
}
