package io.github.kvern.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Reads a header from front to back. Every read is checked against the end of the file before it touches anything, and what
/// is wrong is said with the file's name and the place.
final class Cursor {
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// No header is longer than this: the longest vocabularies take some ten million bytes. It bounds what a hostile file can
    /// make us keep, whatever its size.
    static final long LONGEST_HEADER = 1L << 28;

    private final MemorySegment data;
    private final String file;
    private final long end;
    private long position;
    private String place = "header";
    private byte[] scratch = new byte[256];

    Cursor(MemorySegment data, String file) {
        this.data = data;
        this.file = file;
        this.end = Math.min(data.byteSize(), LONGEST_HEADER);
    }

    long position() {
        return position;
    }

    /// The size of the file.
    long size() {
        return data.byteSize();
    }

    /// Names what is being read, for messages.
    void at(String what) {
        place = what;
    }

    ModelFormatException wrong(String what) {
        return new ModelFormatException(file + ": " + place + ": " + what);
    }

    UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(file + ": " + place + ": " + what);
    }

    byte readByte() {
        return data.get(ValueLayout.JAVA_BYTE, advance(1));
    }

    short readShort() {
        return data.get(SHORT, advance(2));
    }

    int readInt() {
        return data.get(INT, advance(4));
    }

    long readLong() {
        return data.get(LONG, advance(8));
    }

    float readFloat() {
        return data.get(FLOAT, advance(4));
    }

    double readDouble() {
        return data.get(DOUBLE, advance(8));
    }

    /// A BOOL: a byte that is 0 or 1.
    boolean readBoolean() {
        byte b = readByte();
        if (b != 0 && b != 1) throw wrong("expected a BOOL of 0 or 1, found " + b);
        return b == 1;
    }

    /// As [#readCount(String, int)], and at most `most`.
    int readCount(String things, int leastBytes, int most) {
        int count = readCount(things, leastBytes);
        if (count > most) throw wrong("expected at most " + most + " " + things + ", found " + count);
        return count;
    }

    /// A count of things that take at least `leastBytes` each, refused when the rest of the file cannot hold them.
    int readCount(String things, int leastBytes) {
        long count = readLong();
        long room = (end - position) / leastBytes;
        if (count < 0 || count > room)
            throw wrong("expected at most " + room + " " + things + " in the rest of the file, found "
                    + Long.toUnsignedString(count) + cut());
        return (int) count; // LONGEST_HEADER keeps it far below the largest array
    }

    /// A string of at most `longest` bytes. Malformed UTF-8 is refused when `strict`, otherwise each malformed piece is read as
    /// U+FFFD.
    String readString(String what, int longest, boolean strict) {
        long length = readLong();
        if (length < 0 || length > longest)
            throw wrong("expected a " + what + " of at most " + longest + " bytes, found "
                    + Long.toUnsignedString(length) + " bytes");
        if (length == 0) return ""; // the same one every time: a hostile array may hold millions
        int n = (int) length;
        long from = advance(n);
        if (scratch.length < n) scratch = new byte[Math.max(n, Math.min(2 * scratch.length, 1 << 16))];
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, from, scratch, 0, n);
        if (!strict) return new String(scratch, 0, n, StandardCharsets.UTF_8);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(scratch, 0, n)).toString();
        } catch (CharacterCodingException e) {
            throw wrong("expected a " + what + " in UTF-8, found " + Text.quote(new String(scratch, 0, n, StandardCharsets.UTF_8)));
        }
    }

    /// Copies a whole array of numbers, whose count was checked by [#readCount(String, int)].
    void readInto(Object array) {
        switch (array) {
            case byte[] a -> MemorySegment.copy(data, ValueLayout.JAVA_BYTE, advance(a.length), a, 0, a.length);
            case short[] a -> MemorySegment.copy(data, SHORT, advance(2L * a.length), a, 0, a.length);
            case int[] a -> MemorySegment.copy(data, INT, advance(4L * a.length), a, 0, a.length);
            case long[] a -> MemorySegment.copy(data, LONG, advance(8L * a.length), a, 0, a.length);
            case float[] a -> MemorySegment.copy(data, FLOAT, advance(4L * a.length), a, 0, a.length);
            case double[] a -> MemorySegment.copy(data, DOUBLE, advance(8L * a.length), a, 0, a.length);
            default -> throw new IllegalArgumentException(array.getClass().getName());
        }
    }

    private long advance(long bytes) {
        if (bytes > end - position)
            throw wrong("expected " + bytes + " more bytes at byte " + position + ", found "
                    + (end - position) + cut());
        long from = position;
        position += bytes;
        return from;
    }

    private String cut() {
        return end < data.byteSize()
                ? "; no header is longer than " + LONGEST_HEADER + " bytes"
                : "; the file has " + end + " bytes and may be cut short: fetch it again";
    }
}
