package io.github.kvern;

import io.github.kvern.gguf.Metadata;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// How a model is loaded. Immutable: every method gives new options; start from [#defaults()].
///
/// @param threads threads that compute, the driver among them; 1 to 1024
/// @param precision how products are computed
/// @param kv how the cache stores keys and values; empty: F16, or F32 with [Precision#EXACT]
/// @param microBatch the most rows (tokens) that one step computes at once; 1 to 65536
/// @param cacheBytes the most memory that the cache of all generators together may take; 0: half of the memory that this process
///   may use
/// @param reproducible whether results have the same bits for any micro-batch, whatever else is in a step, and for prompts
///   against token by token: see [#reproducible(boolean)]
/// @param weights how weights are held in memory
/// @param loadMode what is done about their pages while the model is loaded
/// @param overrides metadata keys whose values in the file do not count, with `VALUE` or `TYPE:VALUE` as in [#override(String)]
public record ModelOptions(int threads, Precision precision, Optional<KvType> kv, int microBatch, long cacheBytes, boolean reproducible,
        WeightStorage weights, LoadMode loadMode, Map<String, String> overrides) {
    /// Checks the ranges, copies the map.
    ///
    /// @throws IllegalArgumentException a number out of its range, or a key that cannot be overridden
    public ModelOptions {
        check("threads", threads, 1, 1024);
        check("microBatch", microBatch, 1, 65_536);
        check("cacheBytes", cacheBytes, 0, Long.MAX_VALUE);
        overrides = Collections.unmodifiableMap(new LinkedHashMap<>(overrides));
        overrides.keySet().forEach(Overrides::checkKey);
    }

    private static void check(String name, long value, long least, long most) {
        if (value < least || value > most)
            throw new IllegalArgumentException(name + " must be " + least + " to " + most + ", found " + value);
    }

    /// All processors that this process may use, fast precision, micro-batches of 512, weights as [WeightStorage#AUTO] chooses.
    public static ModelOptions defaults() {
        return new ModelOptions(Math.min(1024, Runtime.getRuntime().availableProcessors()), Precision.FAST, Optional.empty(), 512, 0, false,
                WeightStorage.AUTO, LoadMode.MMAP, Map.of());
    }

    /// Threads that compute, the driver among them. More than there are processors slows the model down.
    ///
    /// @param threads 1 to 1024; by default the number of processors that this process may use
    /// @throws IllegalArgumentException out of this range
    public ModelOptions threads(int threads) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// How products of weights and activations are computed.
    ///
    /// @param precision [Precision#FAST] by default
    public ModelOptions precision(Precision precision) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// How the cache stores keys and values.
    ///
    /// @param kv [KvType#F16] by default, with [Precision#EXACT] [KvType#F32]
    public ModelOptions kv(KvType kv) {
        return new ModelOptions(threads, precision, Optional.of(kv), microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// The most tokens that one step computes at once, of all conversations together. More of them read long prompts faster; fewer let
    /// answers flow more evenly while a prompt is read, and take less memory for buffers.
    ///
    /// @param microBatch 1 to 65,536; 512 by default
    /// @throws IllegalArgumentException out of this range
    public ModelOptions microBatch(int microBatch) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// The most memory that the keys and values of all conversations together may take. It is taken off the heap, as conversations grow.
    ///
    /// @param cacheBytes bytes; 0, the default: half of the memory that this process may use, see "Memory" in `docs/embedding.md`
    /// @throws IllegalArgumentException below 0
    public ModelOptions cacheBytes(long cacheBytes) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// Chooses kernels in which a row's arithmetic is the same alone and among many: the same bits for any micro-batch, any other
    /// generators on the model, any number of threads, a prompt found in the cache or computed, and a text read at once or token by
    /// token. Without it, results may differ in their last bits between these, and are the same for the same run on the same machine.
    ///
    /// Packed weights are computed with as ever: their kernels have the property. Weights that stay mapped are computed with as with
    /// [Precision#EXACT], which costs speed. So the bits depend on whether a weight is packed, and [WeightStorage#AUTO] decides that
    /// from the sizes of model and machine: who wants the same bits on different machines asks for [#weights]. The cache keeps its type.
    ///
    /// @param reproducible false by default
    public ModelOptions reproducible(boolean reproducible) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// How weights are held in memory. Results of mapped and packed weights differ in their last bits, unless products are exact.
    ///
    /// @param weights [WeightStorage#AUTO] by default
    public ModelOptions weights(WeightStorage weights) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// What is done about the weights' pages while the model is loaded. Results are the same. With anything but [LoadMode#MMAP] loading
    /// takes as long as the disk does, tells its listener, and can be interrupted.
    ///
    /// @param loadMode [LoadMode#MMAP] by default
    public ModelOptions loadMode(LoadMode loadMode) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, overrides);
    }

    /// Replaces a metadata key's value, for a file whose metadata are known to be wrong.
    ///
    /// @param assignment `KEY=VALUE`, the value in the type that the key has in the file; or `KEY=TYPE:VALUE` with `int`, `float`,
    ///   `bool` or `str`, which a key needs that the file does not have. Whether it fits the file is checked when the model is loaded.
    /// @throws IllegalArgumentException it is not of this form, or the key cannot be overridden
    public ModelOptions override(String assignment) {
        int at = assignment.indexOf('=');
        if (at < 1)
            throw new IllegalArgumentException("override " + Overrides.quote(assignment) + ": expected KEY=VALUE or KEY=TYPE:VALUE");
        return with(assignment.substring(0, at), assignment.substring(at + 1));
    }

    /// Replaces a metadata key's value by a text.
    ///
    /// @throws IllegalArgumentException the key cannot be overridden
    public ModelOptions override(String key, String value) {
        return with(key, "str:" + value);
    }

    /// Replaces a metadata key's value by a whole number; in the file's integer type, if it has the key.
    ///
    /// @throws IllegalArgumentException the key cannot be overridden
    public ModelOptions override(String key, long value) {
        return with(key, "int:" + value);
    }

    /// Replaces a metadata key's value by a number; in the file's floating-point type, if it has the key.
    ///
    /// @throws IllegalArgumentException the key cannot be overridden, or the number is not finite
    public ModelOptions override(String key, double value) {
        if (!Double.isFinite(value))
            throw new IllegalArgumentException("override of key " + Overrides.quote(key) + ": expected a finite number, found " + value);
        return with(key, "float:" + value);
    }

    /// Replaces a metadata key's value by a claim.
    ///
    /// @throws IllegalArgumentException the key cannot be overridden
    public ModelOptions override(String key, boolean value) {
        return with(key, "bool:" + value);
    }

    private ModelOptions with(String key, String value) {
        Map<String, String> more = new LinkedHashMap<>(overrides);
        more.put(key, value);
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes, reproducible, weights, loadMode, more);
    }

    /// What a file's metadata are with these options: every override in its place. [Model#load] uses it; for those who open a file
    /// themselves, as a correction for [io.github.kvern.gguf.GgufFile#open(java.nio.file.Path, java.util.function.UnaryOperator)].
    ///
    /// @throws IllegalArgumentException a value does not fit the type that the key has in the file; the file does not have the key, and
    ///   no type is said; the key is an array
    public Metadata corrected(Metadata metadata) {
        return Overrides.apply(metadata, overrides);
    }

    /// The cache's type, as chosen or by default.
    public KvType kvType() {
        return kv.orElse(precision == Precision.EXACT ? KvType.F32 : KvType.F16);
    }
}
