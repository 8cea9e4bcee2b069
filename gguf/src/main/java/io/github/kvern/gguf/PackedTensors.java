package io.github.kvern.gguf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a file says about tensors that Kvern has packed: rows interleaved, for its own kernels.
///
/// Such a tensor is stored under its name with [#PREFIX] in front, as plain bytes (`I8`, one dimension). Other programs therefore miss
/// the tensor they look for, and say so. What the tensor really is stands in metadata, in arrays of the same length:
///
/// ```
///   kvern.packed.version  UINT32            of this scheme: 1
///   kvern.packed.source   STRING            GgufFile.identity() of the model that was packed
///   kvern.packed.file     STRING            the name of its (first) file, without folders
///   kvern.packed.tensors  ARRAY of STRING   names
///   kvern.packed.types    ARRAY of INT32    numbers of their types
///   kvern.packed.shapes   ARRAY of INT32    columns, rows, experts of each
///   kvern.packed.formats  ARRAY of STRING   for each the layout's own name
/// ```
public final class PackedTensors {
    /// In front of a packed tensor's name.
    public static final String PREFIX = "packed:";
    /// Of the scheme.
    public static final int VERSION = 1;

    private static final String KEY = "kvern.packed.";

    private final String source;
    private final String file;
    private final Map<String, Entry> entries;

    /// A packed tensor.
    ///
    /// @param name that it has in its source
    /// @param type of its values
    /// @param columns values in a row, whole blocks
    /// @param rows of one expert
    /// @param experts stacked matrices; `rows * experts` fits an `int`
    /// @param format name of the layout
    /// @param stored its bytes
    public record Entry(String name, TensorType type, int columns, int rows, int experts, String format, Tensor stored) {
        /// How many values it has.
        public long values() {
            return (long) columns * rows * experts;
        }
    }

    private PackedTensors(String source, String file, Map<String, Entry> entries) {
        this.source = source;
        this.file = file;
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// [GgufFile#identity()] of the model that was packed.
    public String source() {
        return source;
    }

    /// The name of the file that was packed.
    public String file() {
        return file;
    }

    /// The packed tensors by the names they have in their source.
    public Map<String, Entry> entries() {
        return entries;
    }

    /// Reads what a file says; empty when nothing in it is packed.
    ///
    /// @param metadata the file's own, uncorrected
    /// @throws ModelFormatException it contradicts itself
    /// @throws UnsupportedModelException it was written in another version of the scheme
    static Optional<PackedTensors> read(GgufFile gguf, Metadata metadata) {
        if (!metadata.contains(KEY + "version")) return Optional.empty();
        long version = metadata.requireLong(KEY + "version");
        if (version != VERSION)
            throw new UnsupportedModelException(where(gguf) + "weights packed in version " + version + " of the scheme, supported is "
                    + VERSION + ": pack the model again, with `kvern repack --force "
                    + metadata.findString(KEY + "file").map(Text::quote).orElse("SOURCE")
                    + " " + gguf.paths().getFirst() + "`");
        List<String> names = metadata.requireStrings(KEY + "tensors"), formats = metadata.requireStrings(KEY + "formats");
        int[] types = metadata.findInts(KEY + "types").orElse(new int[0]), shapes = metadata.findInts(KEY + "shapes").orElse(new int[0]);
        if (formats.size() != names.size() || types.length != names.size() || shapes.length != 3L * names.size())
            throw new ModelFormatException(
                    where(gguf) + "keys " + KEY + "*: expected " + names.size() + " formats, types and shapes, found "
                            + formats.size() + ", " + types.length + " and " + shapes.length + " / 3");
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            Entry entry = entry(gguf, names.get(i), types[i], shapes[3 * i], shapes[3 * i + 1], shapes[3 * i + 2], formats.get(i));
            if (entries.put(entry.name(), entry) != null) throw wrong(gguf, entry.name(), "every tensor once, found it twice");
        }
        String file = metadata.requireString(KEY + "file");
        if (file.isEmpty() || file.equals("..") || file.equals(".") || file.chars().anyMatch(c -> c == '/' || c == '\\' || c == 0))
            throw new ModelFormatException(where(gguf) + "key " + KEY + "file: expected the name of a file, found " + Text.quote(file));
        return Optional.of(new PackedTensors(metadata.requireString(KEY + "source"), file, entries));
    }

    private static Entry entry(GgufFile gguf, String name, int id, int columns, int rows, int experts, String format) {
        TensorType type = TensorType.ofId(id).orElseThrow(() -> wrong(gguf, name, "the number of a tensor type, found " + id));
        if (columns < 1 || rows < 1 || experts < 1 || columns % type.blockLength() != 0 || (long) rows * experts > Integer.MAX_VALUE)
            throw wrong(gguf, name, "a shape of whole blocks of " + type.blockLength() + " and rows that can be counted, found [" + columns
                    + ", " + rows + ", " + experts + "]");
        if (gguf.find(name).isPresent()) throw wrong(gguf, name, "it packed, found it as it is too");
        Tensor stored = gguf.find(PREFIX + name).orElseThrow(() -> wrong(gguf, name, "its bytes in " + Text.quote(PREFIX + name)
                + ", found no such tensor"));
        if (stored.type() != TensorType.I8 || stored.info().shape().size() != 1)
            throw wrong(gguf, name, "its bytes in one dimension of I8, found " + stored.type() + " " + stored.info().shape());
        return new Entry(name, type, columns, rows, experts, format, stored);
    }

    private static String where(GgufFile gguf) {
        return gguf.paths().getFirst() + ": ";
    }

    private static ModelFormatException wrong(GgufFile gguf, String name, String expected) {
        return new ModelFormatException(where(gguf) + "packed tensor " + Text.quote(name) + ": expected " + expected);
    }

    /// The metadata of a packed file: that of its source, and what this class reads. Tensor data is aligned to a line of 64 bytes.
    ///
    /// @param source of the model that is packed
    /// @param file the name of its file
    /// @param entries what will be packed; what is stored does not matter here
    public static Metadata describe(Metadata metadata, String source, String file, List<Entry> entries) {
        int n = entries.size();
        int[] types = new int[n];
        int[] shapes = new int[3 * n];
        for (int i = 0; i < n; i++) {
            Entry e = entries.get(i);
            types[i] = e.type().id();
            shapes[3 * i] = e.columns();
            shapes[3 * i + 1] = e.rows();
            shapes[3 * i + 2] = e.experts();
        }
        return metadata.with(Split.ALIGNMENT, MetadataValue.of(MetadataType.UINT32, 64))
                .with(KEY + "version", MetadataValue.of(MetadataType.UINT32, VERSION))
                .with(KEY + "source", MetadataValue.of(MetadataType.STRING, source))
                .with(KEY + "file", MetadataValue.of(MetadataType.STRING, file))
                .with(KEY + "tensors", strings(entries.stream().map(Entry::name).toList()))
                .with(KEY + "types", MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts(types)))
                .with(KEY + "shapes", MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofInts(shapes)))
                .with(KEY + "formats", strings(entries.stream().map(Entry::format).toList()));
    }

    private static MetadataValue strings(List<String> texts) {
        return MetadataValue.of(MetadataType.ARRAY, MetadataArray.ofStrings(texts));
    }
}
