package io.github.kvern.gguf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Reads the tensor table of one file. After it every tensor is known to have a shape whose values and bytes can be counted in
/// a `long`, and a place inside the file that no other tensor shares.
final class TensorTable {
    /// A name of one byte, no dimension.
    static final int LEAST_ENTRY_BYTES = 8 + 1 + 4 + 4 + 8;
    private static final int LONGEST_NAME = 255;

    private TensorTable() {
    }

    static Header read(Cursor in, String file, int version, Metadata metadata, int count, int alignment) {
        List<TensorInfo> tensors = new ArrayList<>(count);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            in.at("tensor " + (i + 1) + " of " + count);
            TensorInfo tensor = readEntry(in, alignment);
            if (!names.add(tensor.name())) throw in.wrong("expected every tensor once, found it twice");
            tensors.add(tensor);
        }
        in.at("tensor data");
        long dataOffset = Math.ceilDiv(in.position(), alignment) * (long) alignment;
        checkPlaces(in, tensors, dataOffset);
        return new Header(file, version, metadata, List.copyOf(tensors), alignment, dataOffset, in.size());
    }

    private static TensorInfo readEntry(Cursor in, int alignment) {
        String name = in.readString("tensor name", LONGEST_NAME, true);
        if (name.isEmpty()) throw in.wrong("expected a name, found an empty one");
        in.at("tensor " + Text.quote(name));
        int dimensions = in.readInt();
        if (dimensions < 0 || dimensions > TensorInfo.MOST_DIMENSIONS)
            throw in.wrong(
                    "expected at most " + TensorInfo.MOST_DIMENSIONS + " dimensions, found " + Integer.toUnsignedString(dimensions));
        List<Long> shape = new ArrayList<>(Math.max(1, dimensions));
        for (int d = 0; d < dimensions; d++) shape.add(in.readLong());
        if (shape.isEmpty()) shape.add(1L); // a single value
        TensorType type = type(in, in.readInt());
        long offset = in.readLong();
        if (offset < 0 || offset % alignment != 0)
            throw in.wrong("expected an offset that is a multiple of " + alignment + ", found " + Long.toUnsignedString(offset));
        try {
            return new TensorInfo(name, type, shape, offset, 0);
        } catch (IllegalArgumentException e) {
            throw in.wrong(String.valueOf(e.getMessage()));
        }
    }

    private static TensorType type(Cursor in, int id) {
        Optional<TensorType> type = TensorType.ofId(id);
        if (type.isPresent()) return type.get();
        Optional<String> foreign = ForeignTypes.nameOf(id);
        if (foreign.isPresent())
            throw in.unsupported("type " + foreign.get()
                    + " (number " + id + "), is not supported: take a file that is quantised to one of ggml's types");
        throw in.wrong("expected the number of a tensor type, found " + Integer.toUnsignedString(id));
    }

    private static void checkPlaces(Cursor in, List<TensorInfo> tensors, long dataOffset) {
        long room = Math.max(0, in.size() - dataOffset);
        List<TensorInfo> byOffset = new ArrayList<>(tensors);
        byOffset.sort(Comparator.comparingLong(TensorInfo::offset));
        long end = 0;
        String before = "";
        for (TensorInfo tensor : byOffset) {
            in.at("tensor " + Text.quote(tensor.name()));
            long bytes = tensor.bytes();
            if (tensor.offset() > room || bytes > room - tensor.offset())
                throw in.wrong(
                        "expected " + bytes + " bytes at offset " + tensor.offset() + " of the data section, found a data section of "
                                + room + " bytes: the file is cut short, fetch it again");
            if (tensor.offset() < end)
                throw in.wrong("expected its data at offset " + end + " or later, after " + Text.quote(before) + ", found offset "
                        + tensor.offset());
            end = tensor.offset() + bytes;
            before = tensor.name();
        }
    }
}
