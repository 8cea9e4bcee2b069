package io.github.kvern.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// Builds a file by hand, byte by byte, independent of [GgufWriter]: what the reader is held against.
final class Bytes {
    private ByteBuffer buffer = ByteBuffer.allocate(1 << 10).order(ByteOrder.LITTLE_ENDIAN);

    Bytes u8(int v) {
        room(1).put((byte) v);
        return this;
    }

    Bytes u16(int v) {
        room(2).putShort((short) v);
        return this;
    }

    Bytes u32(long v) {
        room(4).putInt((int) v);
        return this;
    }

    Bytes u64(long v) {
        room(8).putLong(v);
        return this;
    }

    Bytes f32(float v) {
        room(4).putFloat(v);
        return this;
    }

    Bytes f64(double v) {
        room(8).putDouble(v);
        return this;
    }

    Bytes raw(byte[] bytes) {
        room(bytes.length).put(bytes);
        return this;
    }

    Bytes raw(int... bytes) {
        for (int b : bytes) u8(b);
        return this;
    }

    Bytes ascii(String text) {
        return raw(text.getBytes(StandardCharsets.US_ASCII));
    }

    Bytes string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return u64(bytes.length).raw(bytes);
    }

    /// Magic, version 3 and the two counts.
    Bytes header(long tensors, long keys) {
        return ascii("GGUF").u32(3).u64(tensors).u64(keys);
    }

    /// A key and the number of its value's type; the value is to follow.
    Bytes key(String key, MetadataType type) {
        return string(key).u32(type.id());
    }

    Bytes tensor(String name, int type, long offset, long... shape) {
        string(name).u32(shape.length);
        for (long extent : shape) u64(extent);
        return u32(type).u64(offset);
    }

    Bytes pad(int alignment) {
        while (buffer.position() % alignment != 0) u8(0);
        return this;
    }

    Bytes zeros(int n) {
        return raw(new byte[n]);
    }

    int size() {
        return buffer.position();
    }

    byte[] array() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    /// Reads what was built as a file named `test.gguf`, without a disk.
    Header read() {
        return Header.read(MemorySegment.ofArray(array()), "test.gguf");
    }

    Path save(Path file) throws IOException {
        return Files.write(file, array());
    }

    private ByteBuffer room(int n) {
        if (buffer.remaining() < n) {
            ByteBuffer larger = ByteBuffer.allocate(Math.max(2 * buffer.capacity(), buffer.position() + n)).order(ByteOrder.LITTLE_ENDIAN);
            buffer = larger.put(buffer.flip());
        }
        return buffer;
    }

    /// A small valid file with every metadata type and three tensors.
    static Bytes sample() {
        return new Bytes().header(3, 16)
                .key("general.architecture", MetadataType.STRING).string("llama")
                .key("u8", MetadataType.UINT8).u8(200)
                .key("i8", MetadataType.INT8).u8(-2)
                .key("u16", MetadataType.UINT16).u16(60_000)
                .key("i16", MetadataType.INT16).u16(-3)
                .key("u32", MetadataType.UINT32).u32(4_000_000_000L)
                .key("i32", MetadataType.INT32).u32(-4)
                .key("f32", MetadataType.FLOAT32).f32(1.5f)
                .key("bool", MetadataType.BOOL).u8(1)
                .key("u64", MetadataType.UINT64).u64(-1)
                .key("i64", MetadataType.INT64).u64(-5)
                .key("f64", MetadataType.FLOAT64).f64(0.1)
                .key("words", MetadataType.ARRAY).u32(8).u64(3).string("a").string("").string("\u00e9\u4e2d\ud83d\ude42")
                .key("numbers", MetadataType.ARRAY).u32(5).u64(3).u32(1).u32(-2).u32(3)
                .key("nested", MetadataType.ARRAY).u32(9).u64(2).u32(7).u64(2).u8(0).u8(1).u32(10).u64(1).u64(7)
                .key("general.alignment", MetadataType.UINT32).u32(64)
                .tensor("token_embd.weight", 8, 0, 32, 2)
                .tensor("output_norm.weight", 0, 128, 8)
                .tensor("output.weight", 1, 192, 4, 2, 2)
                .pad(64).zeros(68).pad(64).zeros(32).pad(64).zeros(32);
    }
}
