/// The command line: one file per verb.
@NullMarked
package io.github.kvern.cli;

import org.jspecify.annotations.NullMarked;
