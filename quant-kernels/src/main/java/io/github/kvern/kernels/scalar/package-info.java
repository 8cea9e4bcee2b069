/// What the numbers in a block mean: one decoder per type in plain loops. This is the specification that every faster kernel
/// is tested against, and what runs where there is no faster one. The arithmetic is float32 in the order that a type's
/// formula gives, with no fused operation, so a decoded value is the same bits everywhere.
@NullMarked
package io.github.kvern.kernels.scalar;

import org.jspecify.annotations.NullMarked;
