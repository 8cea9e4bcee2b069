package io.github.kvern.cli;

/// What a verb has to do with besides its options.
///
/// @param terminal the standard streams
/// @param interrupts Ctrl-C
record Session(Terminal terminal, Interrupts interrupts) {
}
