package io.github.kvern.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;

/// Writes the encoding of a header, little-endian, through a small buffer: the counterpart of [Cursor].
final class HeaderOutput {
    private final WritableByteChannel out;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    private long position;

    HeaderOutput(WritableByteChannel out) {
        this.out = out;
    }

    /// Bytes written so far, including those still in the buffer.
    long position() {
        return position;
    }

    void writeByte(int value) throws IOException {
        room(1).put((byte) value);
    }

    void writeShort(int value) throws IOException {
        room(2).putShort((short) value);
    }

    void writeInt(int value) throws IOException {
        room(4).putInt(value);
    }

    void writeLong(long value) throws IOException {
        room(8).putLong(value);
    }

    void writeString(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        writeLong(bytes.length);
        writeBytes(bytes);
    }

    void writeBytes(byte[] bytes) throws IOException {
        for (int i = 0; i < bytes.length;) {
            int n = Math.min(bytes.length - i, buffer.capacity());
            room(n).put(bytes, i, n);
            i += n;
        }
    }

    /// Counts bytes that went to the same place past this object; the buffer must have been flushed before.
    void skip(long bytes) {
        position += bytes;
    }

    void writePadding(int alignment) throws IOException {
        while (position % alignment != 0) writeByte(0);
    }

    void writeValue(MetadataValue value) throws IOException {
        writeInt(value.type().id());
        writeBare(value.type(), value.value());
    }

    private void writeBare(MetadataType type, Object value) throws IOException {
        switch (type) {
            case UINT8, INT8 -> writeByte(((Number) value).intValue());
            case UINT16, INT16 -> writeShort(((Number) value).intValue());
            case UINT32, INT32 -> writeInt(((Number) value).intValue());
            case UINT64, INT64 -> writeLong(((Number) value).longValue());
            case FLOAT32 -> writeInt(Float.floatToRawIntBits((Float) value));
            case FLOAT64 -> writeLong(Double.doubleToRawLongBits((Double) value));
            case BOOL -> writeByte((Boolean) value ? 1 : 0);
            case STRING -> writeString((String) value);
            case ARRAY -> {
                MetadataArray array = (MetadataArray) value;
                writeInt(array.elementType().id());
                writeLong(array.size());
                for (int i = 0; i < array.size(); i++) writeBare(array.elementType(), array.get(i));
            }
        }
    }

    void flush() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) out.write(buffer);
        buffer.clear();
    }

    private ByteBuffer room(int bytes) throws IOException {
        if (buffer.remaining() < bytes) flush();
        position += bytes;
        return buffer;
    }
}
