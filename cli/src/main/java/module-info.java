/// How a person asks.
module io.github.kvern.cli {
    requires static org.jspecify;
    requires io.github.kvern.engine;
    requires info.picocli;
    requires com.fasterxml.jackson.core;
    requires org.slf4j;

    opens io.github.kvern.cli to info.picocli;
}
