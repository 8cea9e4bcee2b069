/// An application of modules: one line is all it says about Kvern.
module com.example.mill {
    requires io.github.kvern.engine;
}
