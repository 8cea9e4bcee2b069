/// Tiny models with known answers, for the tests of the other modules.
@NullMarked
package io.github.kvern.testdata;

import org.jspecify.annotations.NullMarked;
