/// Weights, activations, the worker team and the arithmetic, behind one door: [Kernels].
@NullMarked
package io.github.kvern.kernels;

import org.jspecify.annotations.NullMarked;
