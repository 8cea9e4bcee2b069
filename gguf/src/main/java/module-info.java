/// What is in a GGUF file, and where its pages are.
module io.github.kvern.gguf {
    requires static org.jspecify;
    requires org.slf4j;

    exports io.github.kvern.gguf;
}
