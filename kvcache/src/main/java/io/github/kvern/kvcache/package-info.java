/// What was seen, and attention over it: pages, sequences, streaming softmax.
@NullMarked
package io.github.kvern.kvcache;

import org.jspecify.annotations.NullMarked;
