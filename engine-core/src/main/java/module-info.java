/// How a model speaks: the public API of Kvern is the package [io.github.kvern].
module io.github.kvern.engine {
    requires static org.jspecify;
    requires transitive io.github.kvern.gguf;
    requires io.github.kvern.kernels;
    requires io.github.kvern.moe;
    requires io.github.kvern.kvcache;
    requires java.management;
    requires jdk.management;
    requires org.slf4j;

    exports io.github.kvern;
}
