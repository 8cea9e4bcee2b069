package io.github.kvern;

import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.GgufWriter;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A model file taken apart, to be put together with something wrong in it.
record ModelSheet(Metadata metadata, Map<String, Item> tensors) {
    record Item(TensorType type, List<Long> shape, byte[] bytes) {
        /// The same bytes, as many as it takes, under another type or shape.
        Item as(TensorType type, List<Long> shape) {
            long values = 1;
            for (long extent : shape) values *= extent;
            long size = type.rowBytes(shape.getFirst()) * (values / shape.getFirst());
            if (size > 64 << 20) throw new IllegalArgumentException("too large for a test: " + shape);
            return new Item(type, shape, Arrays.copyOf(bytes, (int) size));
        }
    }

    static ModelSheet read(Path path) throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            Map<String, Item> tensors = new LinkedHashMap<>();
            for (Tensor t : file.tensors())
                tensors.put(t.name(), new Item(t.type(), t.info().shape(), t.segment().toArray(ValueLayout.JAVA_BYTE)));
            return new ModelSheet(file.metadata(), tensors);
        }
    }

    ModelSheet with(String key, MetadataType type, Object value) {
        return new ModelSheet(metadata.with(key, MetadataValue.of(type, value)), tensors);
    }

    ModelSheet withInt(String key, long value) {
        return with(key, MetadataType.INT64, value);
    }

    ModelSheet without(String key) {
        return new ModelSheet(metadata.without(key), tensors);
    }

    ModelSheet withTensor(String name, Item item) {
        Map<String, Item> changed = new LinkedHashMap<>(tensors);
        changed.put(name, item);
        return new ModelSheet(metadata, changed);
    }

    ModelSheet withoutTensor(String name) {
        Map<String, Item> changed = new LinkedHashMap<>(tensors);
        changed.remove(name);
        return new ModelSheet(metadata, changed);
    }

    String architecture() {
        return metadata.requireString("general.architecture");
    }

    Path write(Path path) throws IOException {
        GgufWriter writer = new GgufWriter(metadata);
        tensors.forEach((name, t) -> writer.add(name, t.type(), t.shape(), MemorySegment.ofArray(t.bytes())));
        return writer.write(path).getFirst();
    }
}
