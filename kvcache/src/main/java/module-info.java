/// What was seen, and attention over it.
module io.github.kvern.kvcache {
    requires static org.jspecify;
    requires io.github.kvern.kernels;
    requires io.github.kvern.gguf;

    exports io.github.kvern.kvcache to io.github.kvern.engine;
}
