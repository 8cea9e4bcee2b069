/// From logits to the next token: [io.github.kvern.engine.sample.Sampler] chooses, [io.github.kvern.engine.sample.StopStrings] finds
/// the text that ends an answer.
@NullMarked
package io.github.kvern.engine.sample;

import org.jspecify.annotations.NullMarked;
