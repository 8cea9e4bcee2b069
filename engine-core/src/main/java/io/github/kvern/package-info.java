/// The public API of Kvern: load a [io.github.kvern.Model], make a [io.github.kvern.Generator], generate.
@NullMarked
package io.github.kvern;

import org.jspecify.annotations.NullMarked;
