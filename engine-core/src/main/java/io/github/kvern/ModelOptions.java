package io.github.kvern;

import java.util.Optional;

/// How a model is loaded. Immutable; start from [#defaults()].
///
/// @param threads threads that compute, the driver among them; 1 to 1024
/// @param precision how products are computed
/// @param kv how the cache stores keys and values; empty: F16, or F32 with [Precision#EXACT]
/// @param microBatch the most rows (tokens) that one step computes at once; 1 to 65536
/// @param cacheBytes the most memory that the cache of all generators together may take; 0: half of the memory that this process
///   may use
public record ModelOptions(int threads, Precision precision, Optional<KvType> kv, int microBatch, long cacheBytes) {
    /// Checks the ranges.
    public ModelOptions {
        check("threads", threads, 1, 1024);
        check("microBatch", microBatch, 1, 65_536);
        check("cacheBytes", cacheBytes, 0, Long.MAX_VALUE);
    }

    private static void check(String name, long value, long least, long most) {
        if (value < least || value > most) throw new IllegalArgumentException(name + " must be " + least + " to " + most + ", found " + value);
    }

    /// All processors that this process may use, fast precision, micro-batches of 512.
    public static ModelOptions defaults() {
        return new ModelOptions(Math.min(1024, Runtime.getRuntime().availableProcessors()), Precision.FAST, Optional.empty(), 512, 0);
    }

    public ModelOptions threads(int threads) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes);
    }

    public ModelOptions precision(Precision precision) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes);
    }

    public ModelOptions kv(KvType kv) {
        return new ModelOptions(threads, precision, Optional.of(kv), microBatch, cacheBytes);
    }

    public ModelOptions microBatch(int microBatch) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes);
    }

    public ModelOptions cacheBytes(long cacheBytes) {
        return new ModelOptions(threads, precision, kv, microBatch, cacheBytes);
    }

    /// The cache's type, as chosen or by default.
    public KvType kvType() {
        return kv.orElse(precision == Precision.EXACT ? KvType.F32 : KvType.F16);
    }
}
