/// The driver: merges what callers ask for into steps, runs them, and hands out tokens.
@NullMarked
package io.github.kvern.engine.run;

import org.jspecify.annotations.NullMarked;
