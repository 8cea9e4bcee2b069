package io.github.kvern;

import io.github.kvern.engine.layer.MachineMemory;
import io.github.kvern.engine.layer.MemoryLimits;
import io.github.kvern.gguf.GgufFile;
import io.github.kvern.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/// What a model and one conversation with it take of memory, worked out before anything is loaded. All sizes are bytes.
///
/// Besides what is counted here the JVM itself takes memory: [#JVM_BYTES] are set aside for it.
///
/// @param name `general.name`, or the file's name
/// @param architecture `general.architecture`
/// @param options how the model is to be loaded
/// @param context tokens of the conversation
/// @param weights by part and type
/// @param cache by group of layers
/// @param buffers of a step
/// @param lockedMappedBytes of mapped weights that are locked in memory: all with [LoadMode#LOCK], else experts, as asked for
/// @param machine what there is
/// @param verdict whether it fits
/// @param reason why, in one line
/// @param remedies options that change the verdict for the better, each alone; the last may be all of them together
public record MemoryPlan(String name, String architecture, ModelOptions options, int context, Weights weights, List<CacheGroup> cache,
        Buffers buffers, long lockedMappedBytes, Machine machine, Verdict verdict, String reason, List<Remedy> remedies) {
    /// Set aside for the JVM itself: its code, compilers, threads and their own buffers, and the model's vocabulary.
    public static final long JVM_BYTES = 256L << 20;

    /// Copies the lists.
    public MemoryPlan {
        cache = List.copyOf(cache);
        remedies = List.copyOf(remedies);
    }

    /// Works out what a model and a conversation take of this machine's memory, without loading it: from metadata and the tensor table, in
    /// some hundred milliseconds whatever the file's size.
    ///
    /// @param path the file, or any part of a split model
    /// @param generator the conversation
    /// @throws IllegalArgumentException an override does not fit the file, or a context of more than 16,777,216 tokens
    /// @throws IOException the disk: a missing file too
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws io.github.kvern.gguf.UnsupportedModelException the file is fine, but asks for what Kvern cannot do
    public static MemoryPlan of(Path path, ModelOptions options, GeneratorOptions generator) throws IOException {
        return of(path, options, generator, Machine.here(), 0);
    }

    /// The same for another machine, and with locked experts. Which weights can be packed is judged by the kernels of this one.
    ///
    /// @param machine its memory
    /// @param lockedExperts bytes of routed experts that [Model#pinExperts] will be asked to lock at most, 0 for none
    /// @throws IllegalArgumentException an override does not fit the file, or a number below 0
    /// @throws IOException the disk: a missing file too
    /// @throws io.github.kvern.gguf.ModelFormatException the file is wrong
    /// @throws io.github.kvern.gguf.UnsupportedModelException the file is fine, but asks for what Kvern cannot do
    public static MemoryPlan of(Path path, ModelOptions options, GeneratorOptions generator, Machine machine, long lockedExperts)
            throws IOException {
        if (lockedExperts < 0) throw new IllegalArgumentException("bytes to lock must be at least 0, found " + lockedExperts);
        try (GgufFile file = GgufFile.open(path, options::corrected)) {
            return new Planner(file, options, StartUp.kernels(), machine).plan(generator, lockedExperts);
        }
    }

    /// Weights.
    ///
    /// @param fileBytes of all files, which are mapped as they are
    /// @param info how weights will be held, and why
    /// @param shares by part and type
    /// @param ownBytes outside the heap, of matrices that are made from weights whether or not these are packed
    /// @param heapBytes of norms, biases and other vectors
    public record Weights(long fileBytes, WeightsInfo info, List<Share> shares, long ownBytes, long heapBytes) {
        /// Copies the list.
        public Weights {
            shares = List.copyOf(shares);
        }

        /// Bytes of headers: metadata, tensor tables, and what lies between tensors.
        public long headerBytes() {
            return fileBytes - shares.stream().mapToLong(Share::fileBytes).sum();
        }

        /// Bytes that are computed with from the mapping, and headers: in memory when they have been used, and paged in and out by the
        /// system.
        public long mappedBytes() {
            return headerBytes() + shares.stream().mapToLong(Share::mappedBytes).sum();
        }

        /// Bytes of packed weights, outside the heap.
        public long packedBytes() {
            return shares.stream().mapToLong(Share::packedBytes).sum();
        }

        /// Bytes that are read to compute one token.
        public long activeBytes() {
            return shares.stream().mapToLong(Share::activeBytes).sum() + ownBytes;
        }
    }

    /// The tensors of one part of the model and one type.
    ///
    /// @param tensors how many
    /// @param fileBytes in the file
    /// @param mappedBytes that stay mapped and are computed with
    /// @param packedBytes that they take packed, in memory; for a packed file 0, since what it maps is packed
    /// @param activeBytes that are read to compute one token: of routed experts the share of those that a token uses, of an embedding a row
    public record Share(Part part, TensorType type, int tensors, long fileBytes, long mappedBytes, long packedBytes, long activeBytes) {
    }

    /// What weights are for.
    public enum Part {
        /// Experts that a router chooses from.
        ROUTED_EXPERTS,
        /// Experts that every token uses.
        SHARED_EXPERTS,
        /// Feed-forward parts without experts.
        DENSE,
        /// Queries, keys, values and answers.
        ATTENTION,
        /// A row for each token; the output as well, where the file has no other.
        EMBEDDING,
        /// Logits.
        OUTPUT,
        /// Norms, anywhere.
        NORMS,
        /// Routers, rope tables.
        OTHER,
        /// Tensors that are not computed with.
        UNUSED
    }

    /// Layers that keep keys and values in the same way.
    ///
    /// @param kind `full`, `chunked`, `window` or `latent`
    /// @param layers how many
    /// @param visible positions that a position sees at most; 0 for all
    /// @param bytes the most that the conversation holds at once, in whole pages of 64 positions
    public record CacheGroup(String kind, int layers, int visible, long bytes) {
    }

    /// Buffers.
    ///
    /// @param heapBytes of steps, kept from one to the next; without those of single workers, a few megabytes each at most
    public record Buffers(long heapBytes) {
    }

    /// What there is.
    ///
    /// @param memory bytes of the machine, or of the container that this process runs in
    /// @param machine bytes of the machine, where it is known and more than that
    /// @param available bytes that could be had at this moment without anybody being pushed out, where it is known; no verdict depends on it
    /// @param offHeap bytes that the JVM may take outside the heap
    /// @param heap bytes that the JVM may take for its heap
    /// @param lockable bytes that this process may lock in memory (RLIMIT_MEMLOCK), where there is a limit and it is known
    public record Machine(long memory, OptionalLong machine, OptionalLong available, long offHeap, long heap, OptionalLong lockable) {
        /// The machine that this process runs on, and what its JVM may take.
        public static Machine here() {
            MemoryLimits limits = MemoryLimits.here();
            MachineMemory linux = new MachineMemory(Path.of("/"));
            long memory = Math.min(limits.machine(), linux.limit().orElse(Long.MAX_VALUE));
            OptionalLong all = linux.total();
            return new Machine(memory, all.isPresent() && all.getAsLong() > memory ? all : OptionalLong.empty(), linux.available(),
                    limits.direct(), Runtime.getRuntime().maxMemory(), limitOfLocks(linux));
        }

        private static OptionalLong limitOfLocks(MachineMemory linux) {
            OptionalLong limit = linux.lockable();
            return limit.orElse(Long.MAX_VALUE) == Long.MAX_VALUE ? OptionalLong.empty() : limit;
        }

        /// A machine of so much memory, with a JVM that may take what this one may.
        ///
        /// @param bytes of memory, 1 or more
        /// @throws IllegalArgumentException below 1
        public static Machine of(long bytes) {
            if (bytes < 1) throw new IllegalArgumentException("memory must be at least 1 byte, found " + bytes);
            return new Machine(bytes, OptionalLong.empty(), OptionalLong.empty(), MemoryLimits.here().direct(),
                    Runtime.getRuntime().maxMemory(), limitOfLocks(new MachineMemory(Path.of("/"))));
        }
    }

    /// Whether it fits.
    public enum Verdict {
        /// All of it stays in memory.
        FITS,
        /// Weights are read from the disk again and again while the model computes.
        FITS_WITH_PAGING,
        /// Loading, or the conversation, fails.
        DOES_NOT_FIT
    }

    /// An option that makes a difference.
    ///
    /// @param option as on the command line: `-c 4096`
    /// @param verdict with it
    public record Remedy(String option, Verdict verdict) {
    }

    /// Bytes of cache.
    public long cacheBytes() {
        return cache.stream().mapToLong(CacheGroup::bytes).sum();
    }

    /// Bytes that are locked in memory: [#lockedMappedBytes()], and with [LoadMode#LOCK] packed weights too.
    public long lockedBytes() {
        return lockedMappedBytes + (options.loadMode() == LoadMode.LOCK ? weights.packedBytes() + weights.ownBytes() : 0);
    }

    /// Bytes that nobody can take away again: packed weights, cache, buffers, and what is locked.
    public long heldBytes() {
        return weights.packedBytes() + weights.ownBytes() + weights.heapBytes() + cacheBytes() + buffers.heapBytes() + lockedMappedBytes;
    }

    /// All bytes: held ones, other mapped weights, and [#JVM_BYTES].
    public long bytes() {
        return heldBytes() + weights.mappedBytes() - lockedMappedBytes + JVM_BYTES;
    }

    /// Bytes of mapped weights that find no room in memory; at most all that are not locked.
    public long pagedBytes() {
        return Math.clamp(bytes() - machine.memory(), 0, weights.mappedBytes() - lockedMappedBytes);
    }

    /// The most tokens that can come in a second, one after the other, when nothing is paged: memory cannot be read faster. What
    /// computing and waiting take comes on top.
    ///
    /// @param bytesPerSecond that the machine's memory gives, for example what [ReadBandwidth#measure] found
    /// @param cached whether the conversation has its whole length already, so that its cache is read for every token as well
    public double tokensPerSecond(double bytesPerSecond, boolean cached) {
        return bytesPerSecond / (weights.activeBytes() + (cached ? cacheBytes() : 0));
    }
}
