package io.github.kvern.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.PackedTensors;
import io.github.kvern.gguf.Tensor;
import io.github.kvern.gguf.TensorInfo;
import io.github.kvern.gguf.TensorType;
import java.io.IOException;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `inspect`: what a file says about itself. Reads the header only, of any architecture.
@Command(name = "inspect", description = "Show what a model file holds: metadata, tensors, types, sizes. Reads its header only.")
final class InspectCommand implements Callable<Integer> {
    private static final int SHOWN_ELEMENTS = 6;
    private static final int SHOWN_CHARACTERS = 72;

    private final Session session;

    @Mixin
    private final ModelChoice model = new ModelChoice();

    @Parameters(index = "0", arity = "0..1", paramLabel = "FILE", description = "The model, as with -m.")
    private Optional<String> file = Optional.empty();

    @Option(names = "--json", description = "Everything as one JSON object, arrays in full.")
    private boolean json;

    InspectCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        file.ifPresent(model::choose);
        try (GgufFile gguf = model.open()) {
            if (json) Json.writePretty(session.terminal().out(), out -> writeJson(gguf, out));
            else session.terminal().print(readable(gguf));
        }
        return Failures.DONE;
    }

    /// The tensors of each type.
    private record Share(int tensors, long values, long bytes) {
        Share plus(Share more) {
            return new Share(tensors + more.tensors, values + more.values, bytes + more.bytes);
        }
    }

    private static Map<TensorType, Share> shares(GgufFile gguf) {
        Map<TensorType, Share> shares = new TreeMap<>();
        Map<String, PackedTensors.Entry> packed = new HashMap<>();
        packed(gguf).ifPresent(p -> p.entries().values().forEach(entry -> packed.put(entry.stored().name(), entry)));
        for (Tensor tensor : gguf.tensors()) {
            PackedTensors.Entry entry = packed.get(tensor.name());
            shares.merge(entry == null ? tensor.type() : entry.type(),
                    new Share(1, entry == null ? tensor.info().values() : entry.values(), tensor.info().bytes()), Share::plus);
        }
        return shares;
    }

    /// What is packed in the file; what the file says wrongly about it is for those to tell who want to compute.
    private static Optional<PackedTensors> packed(GgufFile gguf) {
        try {
            return gguf.packed();
        } catch (KvernException e) {
            return Optional.empty();
        }
    }

    private static String readable(GgufFile gguf) {
        Metadata metadata = gguf.metadata();
        String architecture = text(metadata, "general.architecture").orElse("unknown");
        Map<TensorType, Share> shares = shares(gguf);
        long values = shares.values().stream().mapToLong(Share::values).sum();
        Page page = new Page();
        page.line(gguf.paths().getFirst().toString());
        text(metadata, "general.name").ifPresent(name -> page.field("name", name));
        page.field("architecture", architecture);
        page.field("parameters", Page.count(values));
        page.field("size", Page.bytes(gguf.bytes()) + (values == 0 ? "" : ", %.2f bits a weight".formatted(weightBits(shares, values))));
        page.field("format", "GGUF v" + gguf.version() + (gguf.paths().size() == 1 ? "" : " in " + gguf.paths().size() + " parts"));
        packed(gguf).ifPresent(
                p -> page.field("packed", Page.count(p.entries().size()) + " tensors, from " + p.file() + " (" + p.source() + ")"));
        number(metadata, architecture + ".context_length").ifPresent(n -> page.field("context", Page.count(n) + " tokens"));
        number(metadata, architecture + ".block_count").ifPresent(n -> page.field("layers", Page.count(n)));
        number(metadata, architecture + ".embedding_length").ifPresent(n -> page.field("width", Page.count(n)));
        number(metadata, architecture + ".expert_count").filter(n -> n > 0).ifPresent(n -> page.field("experts", Page.count(n)));
        if (gguf.paths().size() > 1) {
            page.heading("parts", gguf.paths().size());
            for (int i = 0; i < gguf.paths().size(); i++) page.row(gguf.paths().get(i).toString(), Page.bytes(gguf.bytes(i)));
            page.endTable(1);
        }
        page.heading("types", shares.size());
        shares.forEach((type, share) -> page.row(type.name(), Page.count(share.tensors()) + (share.tensors() == 1 ? " tensor" : " tensors"),
                Page.bytes(share.bytes()), Page.decimal(100.0 * share.values() / Math.max(1, values)) + " % of the weights"));
        page.endTable(1, 2, 3);
        page.heading("metadata", metadata.keys().size());
        for (String key : metadata.keys()) metadata.find(key).ifPresent(value -> page.row(key, typeName(value), shown(value)));
        page.endTable();
        page.heading("tensors", gguf.tensors().size());
        for (Tensor tensor : gguf.tensors()) {
            page.row(tensor.name(), tensor.type().name(),
                    tensor.info().shape().stream().map(String::valueOf).collect(Collectors.joining(" x ")),
                    Page.count(tensor.info().bytes()) + " bytes");
        }
        page.endTable(2, 3);
        return page.text();
    }

    private static double weightBits(Map<TensorType, Share> shares, long values) {
        return 8.0 * shares.values().stream().mapToLong(Share::bytes).sum() / values;
    }

    /// A key that a sound file has as text; a broken one is still shown further down, as it is.
    private static Optional<String> text(Metadata metadata, String key) {
        return metadata.find(key).map(MetadataValue::value).filter(String.class::isInstance).map(String.class::cast);
    }

    private static Optional<Long> number(Metadata metadata, String key) {
        return metadata.find(key).map(MetadataValue::value).filter(Long.class::isInstance).map(Long.class::cast);
    }

    private static String typeName(MetadataValue value) {
        return value.value() instanceof MetadataArray array ? array.elementType() + "[" + Page.count(array.size()) + "]"
                : value.type().name();
    }

    private static String shown(MetadataValue value) {
        return switch (value.value()) {
            case MetadataArray array -> {
                List<String> first = array.asList().stream().limit(SHOWN_ELEMENTS)
                        .map(element -> cut(shown(new MetadataValue(array.elementType(), element)), 24)).toList();
                yield "[" + String.join(", ", first) + (array.size() > SHOWN_ELEMENTS ? ", ..." : "") + "]";
            }
            case String text -> cut(Terminal.quoted(text), SHOWN_CHARACTERS);
            default -> value.value().toString();
        };
    }

    private static String cut(String text, int length) {
        return text.codePointCount(0, text.length()) <= length ? text : text.substring(0, text.offsetByCodePoints(0, length - 3)) + "...";
    }

    private static void writeJson(GgufFile gguf, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("architecture", text(gguf.metadata(), "general.architecture").orElse(""));
        json.writeStringField("name", text(gguf.metadata(), "general.name").orElse(""));
        json.writeNumberField("version", gguf.version());
        json.writeNumberField("bytes", gguf.bytes());
        Map<TensorType, Share> shares = shares(gguf);
        json.writeNumberField("parameters", shares.values().stream().mapToLong(Share::values).sum());
        Optional<PackedTensors> packed = packed(gguf);
        if (packed.isPresent()) json.writeStringField("packedFrom", packed.get().source());
        json.writeArrayFieldStart("parts");
        for (int i = 0; i < gguf.paths().size(); i++) {
            json.writeStartObject();
            json.writeStringField("path", gguf.paths().get(i).toString());
            json.writeNumberField("bytes", gguf.bytes(i));
            json.writeNumberField("dataOffset", gguf.dataOffset(i));
            json.writeNumberField("alignment", gguf.alignment(i));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("types");
        for (Map.Entry<TensorType, Share> entry : shares.entrySet()) {
            json.writeStartObject();
            json.writeStringField("type", entry.getKey().name());
            json.writeNumberField("tensors", entry.getValue().tensors());
            json.writeNumberField("values", entry.getValue().values());
            json.writeNumberField("bytes", entry.getValue().bytes());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeObjectFieldStart("metadata");
        for (String key : gguf.metadata().keys()) {
            json.writeFieldName(key);
            write(gguf.metadata().find(key).map(MetadataValue::value).orElseThrow(), json);
        }
        json.writeEndObject();
        json.writeArrayFieldStart("tensors");
        for (Tensor tensor : gguf.tensors()) write(tensor.info(), json);
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(TensorInfo info, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", info.name());
        json.writeStringField("type", info.type().name());
        json.writeArrayFieldStart("shape");
        for (long extent : info.shape()) json.writeNumber(extent);
        json.writeEndArray();
        json.writeNumberField("bytes", info.bytes());
        json.writeNumberField("part", info.part());
        json.writeNumberField("offset", info.offset());
        json.writeEndObject();
    }

    /// A value as JSON; what JSON has no number for (NaN, infinities) becomes a string.
    private static void write(Object value, JsonGenerator json) throws IOException {
        switch (value) {
            case MetadataArray array -> {
                json.writeStartArray();
                for (Object element : array.asList()) write(element, json);
                json.writeEndArray();
            }
            case Long number -> json.writeNumber(number);
            case BigInteger number -> json.writeNumber(number);
            case Float number -> json.writeNumber(number);
            case Double number -> json.writeNumber(number);
            case Boolean claim -> json.writeBoolean(claim);
            default -> json.writeString(value.toString());
        }
    }
}
