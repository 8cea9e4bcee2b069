/// The arithmetic in vectors: static methods over arrays and memory segments, that know nothing of the door. Only the classes here
/// name the vector module; nothing outside may load them unless [io.github.kvern.kernels.Kernels] has found it.
@NullMarked
package io.github.kvern.kernels.vector;

import org.jspecify.annotations.NullMarked;
