package io.github.kvern;

import java.util.OptionalDouble;

/// One generated token.
///
/// @param id its number in the vocabulary
/// @param text the whole characters that it completes; may be empty while a character is still half
/// @param logProbability natural logarithm of its probability under the model (before the sampler's filters), when asked for
public record Token(int id, String text, OptionalDouble logProbability) {
}
