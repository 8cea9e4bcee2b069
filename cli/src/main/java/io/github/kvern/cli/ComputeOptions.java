package io.github.kvern.cli;

import io.github.kvern.KvType;
import io.github.kvern.LoadMode;
import io.github.kvern.Model;
import io.github.kvern.ModelOptions;
import io.github.kvern.Precision;
import io.github.kvern.WeightStorage;
import io.github.kvern.WeightsInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// How a model is loaded and computed.
final class ComputeOptions {
    /// A person who waited so long for packed weights is told of the other way.
    private static final long LONG_SECONDS = 10;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute. Default: ${DEFAULT-VALUE}.")
    private int threads = ModelOptions.defaults().threads();

    @Option(names = {"-ub", "--ubatch", "--ubatch-size"}, paramLabel = "N",
            description = "The most tokens of a prompt that are computed at once. Default: ${DEFAULT-VALUE}.")
    private int microBatch = ModelOptions.defaults().microBatch();

    @Option(names = "--precision", paramLabel = "P",
            description = "exact: float activations and dequantised weights. fast (the default): may round activations to 8 bits inside a product.")
    private Precision precision = ModelOptions.defaults().precision();

    @Option(names = "--reproducible",
            description = "The same bits for any --ubatch, and for prompts against token by token. Packed weights are as fast as "
                    + "without; mapped ones are computed as with --precision exact.")
    private boolean reproducible;

    @Option(names = "--weights", paramLabel = "HOW",
            description = "mapped: as in the file, straight from its mapping. packed: repacked while the model is loaded; faster, "
                    + "and takes about as much memory as the file has bytes. auto (the default): packed if that is at most half of "
                    + "the machine's memory; --stats tells.")
    private WeightStorage weights = ModelOptions.defaults().weights();

    @Option(names = "--load", paramLabel = "HOW",
            description = "mmap (the default): pages come from the disk when they are first needed. prefault: all weights are read "
                    + "into memory first. lock: and stay there, if the limit of locked memory (ulimit -l) allows it.")
    private LoadMode loadMode = ModelOptions.defaults().loadMode();

    @Mixin
    private final MetadataChoice metadata = new MetadataChoice();

    @Option(names = "--kv", paramLabel = "TYPE", description = "The cache: f16 or f32. Default: f16, or f32 with --precision exact.")
    private Optional<KvType> kv = Optional.empty();

    @Option(names = {"-ctk", "--cache-type-k"}, paramLabel = "TYPE", description = "As --kv, which it must agree with.")
    private Optional<KvType> keys = Optional.empty();

    @Option(names = {"-ctv", "--cache-type-v"}, paramLabel = "TYPE", description = "As --kv, which it must agree with.")
    private Optional<KvType> values = Optional.empty();

    /// The options as the engine knows them.
    ModelOptions options() {
        ModelOptions options = metadata.onto(ModelOptions.defaults().threads(threads).microBatch(microBatch).precision(precision)
                .reproducible(reproducible).weights(weights).loadMode(loadMode));
        Set<KvType> named = new LinkedHashSet<>(Stream.of(kv, keys, values).flatMap(Optional::stream).toList());
        if (named.size() > 1) throw Failures.usage("--kv, -ctk and -ctv: keys and values are cached in one type, found " + named);
        return named.stream().findFirst().map(options::kv).orElse(options);
    }

    /// How weights are held, as options and JSON spell it.
    static String name(WeightsInfo weights) {
        return weights.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /// How weights are held and why, in one line.
    static String line(WeightsInfo weights) {
        return "weights " + name(weights) + ": " + weights.reason();
    }

    /// Loads the model, and shows how far that is to a person who waits.
    ///
    /// @param options as [#options()] gave them: they are checked before anything else is done
    static Model load(Session session, Path path, ModelOptions options) {
        AtomicInteger percent = new AtomicInteger();
        long start = System.nanoTime();
        Model model;
        try (Progress _ = Progress.start(session.terminal(),
                () -> percent.get() == 0 ? "loading the model" : "loading the model: " + percent + " %")) {
            model = Model.load(path, options, fraction -> percent.set((int) (100 * fraction)));
        } catch (IOException e) {
            throw Failures.model(e);
        }
        long seconds = (System.nanoTime() - start) / 1_000_000_000;
        if (seconds >= LONG_SECONDS && session.terminal().errIsTerminal() && model.info().weights().kind() == WeightsInfo.Kind.PACKED)
            session.terminal().note("packing the weights took most of " + seconds + " s: 'kvern repack' does it once, into a file that "
                    + "loads at once");
        return model;
    }
}
