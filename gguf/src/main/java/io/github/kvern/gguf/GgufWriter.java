package io.github.kvern.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Writes a GGUF file of version 3, or the parts of a split model.
///
/// Tensor data is streamed: a tensor may be larger than memory. Files get their names only once all of them are complete;
/// until then they are written beside the target under a temporary name, and a failure leaves nothing behind. For one thread.
public final class GgufWriter {
    /// ggml reads names of fewer bytes than 64.
    private static final int LONGEST_NAME = 63;
    /// Far above any disk, far below where sums overflow.
    private static final long MOST_BYTES = 1L << 60;
    private static final long COPY_BYTES = 1 << 20;

    private final Map<String, MetadataValue> values = new LinkedHashMap<>();
    private final int alignment;
    private final List<Entry> entries = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private long bytes;
    private long mostTensors = Long.MAX_VALUE;
    private long mostBytes = Long.MAX_VALUE;
    private Consumer<Path> temporaries = path -> {
    };

    /// Writes the bytes of a tensor.
    @FunctionalInterface
    public interface Source {
        /// Writes exactly as many bytes as the tensor has.
        ///
        /// @param out takes the bytes; not to be closed, nor kept
        /// @throws IOException if the data cannot be had; the write then fails with it and leaves nothing behind
        void writeTo(WritableByteChannel out) throws IOException;
    }

    /// A tensor and where its data comes from; the offset within its part is set when the parts are laid out.
    record Entry(TensorInfo info, Source source) {
    }

    /// @param metadata the keys in the order to write. `general.alignment` sets the alignment of tensor data (32 without it);
    ///                 `split.*` keys are left out, as they follow from how this writer splits.
    /// @throws IllegalArgumentException if a key is empty, too long or has unpaired surrogates, or the alignment is none
    public GgufWriter(Metadata metadata) {
        for (String key : metadata.keys()) {
            if (key.equals(Split.NO) || key.equals(Split.COUNT) || key.equals(Split.TENSORS)) continue;
            checkName("key", key, Header.LONGEST_KEY);
            values.put(key, metadata.find(key).orElseThrow());
        }
        long wanted = metadata.findLong(Split.ALIGNMENT).orElse(Header.DEFAULT_ALIGNMENT);
        if (!Header.isAlignment(wanted))
            throw new IllegalArgumentException("key " + Text.quote(Split.ALIGNMENT) + ": expected "
                    + Header.ALIGNMENTS + ", found " + wanted);
        alignment = (int) wanted;
    }

    /// Adds a tensor whose data is at hand. The segment must live until the file is written.
    ///
    /// @param shape 1 to 4 extents, the fastest-varying first
    /// @throws IllegalArgumentException if there can be no such tensor, the name was added before or is no name of 1 to 63
    ///                                  bytes, or the segment has not exactly the tensor's bytes
    public GgufWriter add(String name, TensorType type, List<Long> shape, MemorySegment data) {
        TensorInfo info = new TensorInfo(name, type, shape, 0, 0);
        if (data.byteSize() != info.bytes())
            throw new IllegalArgumentException("tensor " + Text.quote(name) + ": expected "
                    + info.bytes() + " bytes for " + type + " " + shape + ", found " + data.byteSize());
        return add(info, out -> {
            for (long from = 0; from < data.byteSize(); from += COPY_BYTES) {
                ByteBuffer bytes = data.asSlice(from, Math.min(COPY_BYTES, data.byteSize() - from)).asByteBuffer();
                while (bytes.hasRemaining()) out.write(bytes);
            }
        });
    }

    /// Adds a tensor whose data is made while the file is written: once, in the order in which tensors were added.
    ///
    /// @param shape 1 to 4 extents, the fastest-varying first
    /// @throws IllegalArgumentException if there can be no such tensor, or the name was added before or is no name of 1 to 63
    ///                                  bytes
    public GgufWriter add(String name, TensorType type, List<Long> shape, Source data) {
        return add(new TensorInfo(name, type, shape, 0, 0), data);
    }

    private GgufWriter add(TensorInfo info, Source source) {
        checkName("tensor name", info.name(), LONGEST_NAME);
        if (!names.add(info.name())) throw new IllegalArgumentException("tensor " + Text.quote(info.name()) + " was added before");
        if (info.bytes() > MOST_BYTES - bytes)
            throw new IllegalArgumentException(
                    "tensor " + Text.quote(info.name()) + ": expected less than 2^60 bytes in a model, found " + info.shape());
        bytes += info.bytes() + alignment;
        entries.add(new Entry(info, source));
        return this;
    }

    /// Splits the model into parts of at most this many tensors.
    ///
    /// @param most 1 or more; without this there is no such limit
    /// @throws IllegalArgumentException if it is less than 1
    public GgufWriter splitByTensors(int most) {
        if (most < 1) throw new IllegalArgumentException("expected at least 1 tensor a part, found " + most);
        mostTensors = most;
        return this;
    }

    /// Splits the model into parts of at most this many bytes of tensor data, as far as no single tensor has more.
    ///
    /// @param most 1 or more; without this there is no such limit
    /// @throws IllegalArgumentException if it is less than 1
    public GgufWriter splitByBytes(long most) {
        if (most < 1) throw new IllegalArgumentException("expected at least 1 byte a part, found " + most);
        mostBytes = most;
        return this;
    }

    /// Tells of every temporary file before it is made: for whoever has to remove it should the process be ended meanwhile.
    public GgufWriter onTemporary(Consumer<Path> told) {
        temporaries = told;
        return this;
    }

    /// Writes the file, or the parts, replacing files that have their names.
    ///
    /// @param target the file; when the model is split, parts are named after it: `model.gguf` becomes
    ///               `model-00001-of-00003.gguf` and so on. A model that fits one part is not split.
    /// @return what was written, in order
    /// @throws IllegalArgumentException if there are more parts than the format can number
    /// @throws IOException if a file cannot be written, or a source fails or writes another number of bytes than its tensor has
    public List<Path> write(Path target) throws IOException {
        List<List<Entry>> parts = layOut();
        try (PendingFiles files = new PendingFiles(temporaries)) {
            for (int no = 0; no < parts.size(); no++) {
                Path path = parts.size() == 1 ? target : target.resolveSibling(stem(target) + Split.ending(no, parts.size()));
                PartOutput.write(files.add(path), keys(no, parts.size()), alignment, parts.get(no));
            }
            return files.complete();
        }
    }

    private List<List<Entry>> layOut() {
        List<List<Entry>> parts = new ArrayList<>();
        List<Entry> part = new ArrayList<>();
        long end = 0;
        for (Entry entry : entries) {
            TensorInfo info = entry.info();
            if (!part.isEmpty() && (part.size() >= mostTensors || info.bytes() > mostBytes - end)) {
                parts.add(part);
                part = new ArrayList<>();
                end = 0;
            }
            part.add(new Entry(new TensorInfo(info.name(), info.type(), info.shape(), end, parts.size()), entry.source()));
            end += Math.ceilDiv(info.bytes(), alignment) * alignment;
        }
        parts.add(part);
        if (parts.size() > Split.MOST_PARTS)
            throw new IllegalArgumentException("expected at most " + Split.MOST_PARTS + " parts, found " + parts.size());
        return parts;
    }

    private Map<String, MetadataValue> keys(int no, int count) {
        Map<String, MetadataValue> keys = new LinkedHashMap<>();
        if (no == 0) keys.putAll(values);
        else if (values.containsKey(Split.ALIGNMENT)) keys.put(Split.ALIGNMENT, values.get(Split.ALIGNMENT));
        if (count == 1) return keys;
        keys.put(Split.NO, MetadataValue.of(MetadataType.UINT16, no));
        keys.put(Split.COUNT, MetadataValue.of(MetadataType.UINT16, count));
        keys.put(Split.TENSORS, MetadataValue.of(MetadataType.INT32, entries.size()));
        return keys;
    }

    private static String stem(Path target) {
        String name = String.valueOf(target.getFileName());
        return name.endsWith(".gguf") ? name.substring(0, name.length() - ".gguf".length()) : name;
    }

    private static void checkName(String what, String name, int longest) {
        try {
            int bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(name)).remaining();
            if (bytes >= 1 && bytes <= longest) return;
            throw new IllegalArgumentException(
                    "expected a " + what + " of 1 to " + longest + " bytes, found " + bytes + ": " + Text.quote(name));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("expected a " + what + " that UTF-8 can say, found " + Text.quote(name), e);
        }
    }
}
