package io.github.kvern.gguf;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the front of one file says, checked against the size of that file.
///
/// @param file what messages call the file
/// @param version GGUF version, 2 or 3
/// @param metadata the file's own keys
/// @param tensors the table, in its order; offsets count from `dataOffset`
/// @param alignment what tensor offsets are a multiple of
/// @param dataOffset the first byte of the data section
/// @param bytes the size of the file
record Header(String file, int version, Metadata metadata, List<TensorInfo> tensors, int alignment, long dataOffset, long bytes) {
    static final String ALIGNMENTS = "a power of two from 8 to 1048576";
    static final int DEFAULT_ALIGNMENT = 32;
    private static final int LARGEST_ALIGNMENT = 1 << 20;
    static final int LONGEST_KEY = 65_535;
    static final int LONGEST_STRING = 1 << 28;
    /// Models of a trillion weights have some ten thousand tensors.
    private static final int MOST_ENTRIES = 1 << 20;
    private static final int DEEPEST_NESTING = 8;
    private static final int LEAST_PAIR_BYTES = 8 + 1 + 4 + 1;

    /// Reads a header.
    ///
    /// @param data the whole file; only its front is touched
    static Header read(MemorySegment data, String file) {
        Signature.check(data, file);
        Cursor in = new Cursor(data, file);
        in.readInt();
        int version = in.readInt();
        int tensorCount = in.readCount("tensors", TensorTable.LEAST_ENTRY_BYTES, MOST_ENTRIES);
        int pairCount = in.readCount("metadata keys", LEAST_PAIR_BYTES, MOST_ENTRIES);
        Map<String, MetadataValue> values = new LinkedHashMap<>();
        for (int i = 0; i < pairCount; i++) {
            in.at("metadata key " + (i + 1) + " of " + pairCount);
            String key = in.readString("key", LONGEST_KEY, true);
            if (key.isEmpty()) throw in.wrong("expected a key, found an empty one");
            in.at("key " + Text.quote(key));
            if (values.put(key, readValue(in)) != null) throw in.wrong("expected every key once, found it twice");
        }
        Metadata metadata = new Metadata(values, file);
        int alignment = alignment(in, metadata);
        return TensorTable.read(in, file, version, metadata, tensorCount, alignment);
    }

    /// This header, with the number that its file turned out to have among the parts.
    Header inPart(int part) {
        List<TensorInfo> moved = tensors.stream().map(t -> new TensorInfo(t.name(), t.type(), t.shape(), t.offset(), part)).toList();
        return new Header(file, version, metadata, moved, alignment, dataOffset, bytes);
    }

    private static int alignment(Cursor in, Metadata metadata) {
        long alignment = metadata.findLong(Split.ALIGNMENT).orElse(DEFAULT_ALIGNMENT);
        in.at("key " + Text.quote(Split.ALIGNMENT));
        if (!isAlignment(alignment)) throw in.wrong("expected " + ALIGNMENTS + ", found " + alignment);
        return (int) alignment;
    }

    /// The format asks for a multiple of 8 at least.
    static boolean isAlignment(long bytes) {
        return bytes >= 8 && bytes <= LARGEST_ALIGNMENT && Long.bitCount(bytes) == 1;
    }

    private static MetadataValue readValue(Cursor in) {
        MetadataType type = readType(in);
        Object value = switch (type) {
            case UINT8 -> in.readByte() & 0xFFL;
            case INT8 -> (long) in.readByte();
            case UINT16 -> in.readShort() & 0xFFFFL;
            case INT16 -> (long) in.readShort();
            case UINT32 -> in.readInt() & 0xFFFF_FFFFL;
            case INT32 -> (long) in.readInt();
            case UINT64 -> MetadataValue.unsigned(in.readLong());
            case INT64 -> in.readLong();
            case FLOAT32 -> in.readFloat();
            case FLOAT64 -> in.readDouble();
            case BOOL -> in.readBoolean();
            case STRING -> in.readString("string", LONGEST_STRING, false);
            case ARRAY -> readArray(in, 1);
        };
        return new MetadataValue(type, value);
    }

    private static MetadataType readType(Cursor in) {
        int id = in.readInt();
        return MetadataType.ofId(id)
                .orElseThrow(() -> in.wrong("expected a value type from 0 to 12, found " + Integer.toUnsignedString(id)));
    }

    private static MetadataArray readArray(Cursor in, int depth) {
        MetadataType type = readType(in);
        if (type == MetadataType.ARRAY && depth == DEEPEST_NESTING)
            throw in.wrong("expected arrays nested at most " + DEEPEST_NESTING + " deep, found more");
        int count = in.readCount("array elements", type.leastBytes());
        Object storage = MetadataArray.allocate(type, count);
        switch (storage) {
            case String[] strings -> {
                for (int i = 0; i < count; i++) strings[i] = in.readString("string", LONGEST_STRING, false);
            }
            case MetadataArray[] arrays -> {
                for (int i = 0; i < count; i++) arrays[i] = readArray(in, depth + 1);
            }
            default -> in.readInto(storage);
        }
        if (type == MetadataType.BOOL)
            for (byte b : (byte[]) storage)
                if (b != 0 && b != 1) throw in.wrong("expected a BOOL of 0 or 1, found " + b);
        return new MetadataArray(type, storage);
    }
}
