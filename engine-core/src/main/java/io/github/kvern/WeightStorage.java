package io.github.kvern;

/// How a model's weights are held in memory: what [ModelOptions#weights] asks for.
public enum WeightStorage {
    /// [#PACKED] when the packed copy takes at most half of the memory that this process may have (the machine's, or its container's)
    /// and three quarters of what the JVM may take off the heap (`-XX:MaxDirectMemorySize`, by default `-Xmx`), and leaves room for
    /// [ModelOptions#cacheBytes()]; otherwise [#MAPPED].
    /// Decided from sizes alone, never from what is free at the moment: the same start gives the same bits. Where packing at each start
    /// takes long, or there is no memory for it, [Repack] does it once.
    AUTO,
    /// As in the file, straight from its mapping. Costs no memory of its own: the operating system pages it in and out, and processes
    /// share it.
    MAPPED,
    /// Repacked while the model is loaded, 32 rows side by side, off the heap: faster, at the price of that memory, and of the time it
    /// takes. Concerns types with a packed form, in products that may be [Precision#FAST]; everything else stays mapped, and so do
    /// embeddings, of which single rows are looked up.
    PACKED
}
