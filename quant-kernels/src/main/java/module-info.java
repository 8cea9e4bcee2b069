/// How fast a row times a vector is: weights, activations, the worker team, and the kernels behind one door.
module io.github.kvern.kernels {
    requires static org.jspecify;
    requires transitive io.github.kvern.gguf;
    requires jdk.incubator.vector;
    requires org.slf4j;
    requires static jdk.management; // to learn of switched-off compilers, where it is there

    exports io.github.kvern.kernels to io.github.kvern.moe, io.github.kvern.kvcache, io.github.kvern.engine;
}
