package io.github.kvern.kernels.scalar;

import io.github.kvern.gguf.TensorType;
import io.github.kvern.testdata.Json;
import io.github.kvern.testdata.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One type's known answers from `testdata/fixtures/quants`, whose README says how they were made.
///
/// @param quantised [#ROWS] rows of [#COLUMNS] values
/// @param decoded the same as floats
/// @param dot products with [#activation()]; empty for the two types that are made for activations
record Fixture(TensorType type, MemorySegment quantised, float[] decoded, Optional<Dot> dot) {
    /// @param activation [#activation()] as ggml quantises it for this type
    /// @param exactFloat per row, the sum in double of decoded weight times float activation
    /// @param exactQuantised the same with the decoded quantised activation
    record Dot(TensorType activationType, MemorySegment activation, double[] exactFloat, double[] exactQuantised) {
    }

    static final int ROWS = 8;
    static final int COLUMNS = 512;
    private static final Path FOLDER = TestData.folder().resolve("fixtures/quants");

    /// All types, in the order of the index.
    static List<Fixture> all() {
        try {
            return Json.list(Json.parse(FOLDER.resolve("index.json")).get("types")).stream().map(t -> read(Json.object(t))).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static float[] activation() {
        return floats(bytes("act.f32"));
    }

    private static Fixture read(Map<String, Object> index) {
        ByteBuffer file = bytes((String) index.get("file"));
        MemorySegment quantised = MemorySegment.ofBuffer(section(file, index.get("quant")));
        return new Fixture(type(index.get("ggml_type")), quantised, floats(section(file, index.get("dequant"))),
                Optional.of(index.get("dot")).filter(dot -> dot != Json.NULL).map(dot -> dot(file, Json.object(dot))));
    }

    private static Dot dot(ByteBuffer file, Map<String, Object> index) {
        return new Dot(type(index.get("act_type_id")), MemorySegment.ofBuffer(section(file, index.get("act_quant"))),
                doubles(section(file, index.get("exact_float_act"))), doubles(section(file, index.get("exact_quant_act"))));
    }

    private static TensorType type(Object id) {
        return TensorType.ofId(((Double) id).intValue()).orElseThrow();
    }

    private static ByteBuffer bytes(String name) {
        try {
            return ByteBuffer.wrap(Files.readAllBytes(FOLDER.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ByteBuffer section(ByteBuffer file, Object offsetAndBytes) {
        int[] section = Json.ints(offsetAndBytes);
        return file.slice(section[0], section[1]).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static float[] floats(ByteBuffer bytes) {
        float[] values = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private static double[] doubles(ByteBuffer bytes) {
        double[] values = new double[bytes.remaining() / 8];
        bytes.asDoubleBuffer().get(values);
        return values;
    }

    @Override
    public String toString() {
        return type.toString();
    }
}
