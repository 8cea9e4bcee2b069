/// Which experts, and their sum.
module io.github.kvern.moe {
    requires static org.jspecify;
    requires io.github.kvern.kernels;

    exports io.github.kvern.moe to io.github.kvern.engine;
}
