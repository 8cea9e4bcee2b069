package io.github.kvern;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.kvern.gguf.KvernException;
import io.github.kvern.gguf.MemoryBudgetException;
import io.github.kvern.gguf.MetadataArray;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import io.github.kvern.gguf.ModelFormatException;
import io.github.kvern.gguf.TensorType;
import io.github.kvern.gguf.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/// Whole models with damage, of keys, tensors and bytes: each is refused with one of our own exceptions, or computes.
class DamageFuzzTest {
    private static final List<ModelSheet> GOOD = TinyModels.all();
    private static final long[] NUMBERS = {0, -1, 1, 2, 3, 5, 8, 16, 31, 33, 64, 100, 1 << 16, 1 << 24, 1 << 30, Integer.MAX_VALUE,
            1L << 31, Long.MAX_VALUE};

    @TempDir
    private static Path folder;

    @FuzzTest(maxDuration = "3m")
    void model(FuzzedDataProvider data) throws IOException {
        ModelSheet sheet = data.pickValue(GOOD);
        for (int n = data.consumeInt(0, 4); n > 0; n--) sheet = damaged(sheet, data);
        Path path = folder.resolve("m.gguf");
        try {
            sheet.write(path);
        } catch (IllegalArgumentException e) {
            return; // the writer writes no such thing
        }
        int patches = data.consumeInt(0, 4);
        if (patches > 0) {
            byte[] bytes = Files.readAllBytes(path);
            for (; patches > 0; patches--) {
                int at = data.consumeInt(0, bytes.length - 1);
                byte[] patch = data.consumeBytes(8);
                System.arraycopy(patch, 0, bytes, at, Math.min(patch.length, bytes.length - at));
            }
            Files.write(path, bytes);
        }
        compute(path, data);
    }

    private static ModelSheet damaged(ModelSheet sheet, FuzzedDataProvider data) {
        String key = data.pickValue(List.copyOf(sheet.metadata().keys())), name = data.pickValue(List.copyOf(sheet.tensors().keySet()));
        ModelSheet.Item item = sheet.tensors().get(name);
        String prefix = sheet.metadata().find("general.architecture").map(v -> v.value() + ".").orElse("llama.");
        return switch (data.consumeInt(0, 8)) {
            case 0 -> sheet.without(key);
            case 1 -> sheet.withInt(key, data.pickValue(NUMBERS));
            case 2 -> sheet.with(key, MetadataType.FLOAT32, data.consumeFloat());
            case 3 -> sheet.with(key, MetadataType.ARRAY, MetadataArray.ofInts(data.consumeInts(4)));
            case 4 -> sheet.withoutTensor(name);
            case 5 -> {
                List<Long> shape = new ArrayList<>(item.shape());
                shape.set(data.consumeInt(0, shape.size() - 1), data.consumeLong(1, 200));
                long block = item.type().blockLength();
                shape.set(0, Math.ceilDiv(shape.getFirst(), block) * block);
                yield sheet.withTensor(name, item.as(item.type(), shape));
            }
            case 6 -> {
                TensorType type = data.pickValue(TensorType.values());
                yield item.shape().getFirst() % type.blockLength() == 0 ? sheet.withTensor(name, item.as(type, item.shape())) : sheet;
            }
            case 7 -> {
                String more = data.pickValue(new String[] {"rope.dimension_count", "rope.freq_base", "rope.scaling.factor",
                        "rope.scaling.type", "attention.key_length",
                        "attention.value_length", "attention.sliding_window", "rope.scaling.original_context_length",
                        "rope.scaling.attn_factor", "expert_count",
                        "expert_used_count", "rope.scaling.yarn_beta_fast"});
                yield more.endsWith("type") ? sheet.with(prefix + more, MetadataType.STRING, data.consumeBoolean() ? "yarn" : "linear")
                        : data.consumeBoolean() ? sheet.withInt(prefix + more, data.pickValue(NUMBERS))
                                : sheet.with(prefix + more, MetadataType.FLOAT32, data.consumeFloat());
            }
            default -> sheet.with(key, MetadataType.STRING, MetadataValue.of(MetadataType.STRING, "x").value());
        };
    }

    private static void compute(Path path, FuzzedDataProvider data) throws IOException {
        ModelOptions options = ModelOptions.defaults().threads(1).microBatch(data.consumeInt(1, 8)).cacheBytes(1 << 24)
                .reproducible(data.consumeBoolean());
        try (Model model = Model.load(path, options)) {
            int vocabulary = model.info().vocabulary();
            model.score(new int[] {0, vocabulary / 2, vocabulary - 1}, new int[] {1, 2});
            try (Generator generator = model.generator(GeneratorOptions.context(16));
                    Generation answer = generator.generate(Prompt.tokens(0, vocabulary - 1),
                            Sampling.defaults().seed(1).maxTokens(3).stop("x"))) {
                for (Token token : answer) if (token.id() >= vocabulary) throw new AssertionError(token);
            }
        } catch (LogitsException | MemoryBudgetException e) {
            return;
        } catch (ModelFormatException | UnsupportedModelException e) {
            String message = String.valueOf(e.getMessage());
            if (!message.startsWith(path.toString()) || message.lines().count() != 1 || message.length() > 2000)
                throw new AssertionError("not one short line that begins with the file: " + message, e);
        } catch (KvernException e) {
            throw new AssertionError("a kind of failure that should have been another: " + e, e);
        }
    }
}
