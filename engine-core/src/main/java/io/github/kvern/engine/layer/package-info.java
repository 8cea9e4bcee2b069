/// The parts that families of models share, and what a layer sees of a step.
@NullMarked
package io.github.kvern.engine.layer;

import org.jspecify.annotations.NullMarked;
