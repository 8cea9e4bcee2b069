/// Families of models: one file each, with parameters, weights and forward, in this order.
@NullMarked
package io.github.kvern.engine.arch;

import org.jspecify.annotations.NullMarked;
