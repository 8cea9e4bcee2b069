package io.github.kvern.kernels;

import java.util.function.LongSupplier;

/// Some vector code, to be run on little data until it is compiled.
///
/// @param label what this is, for a message
/// @param warmth of the code, shared by all that runs it
/// @param run runs the code once, as vectors; the multiply-adds that were done, or whatever takes about as long
record Exercise(String label, Warmth warmth, LongSupplier run) {
}
