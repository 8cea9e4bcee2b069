/// How long it took: benchmarks of the kernels. `jmh/README.md` says how to run and read them.
@NullMarked
package io.github.kvern.jmh;

import org.jspecify.annotations.NullMarked;
