package io.github.kvern;

import java.util.OptionalDouble;

/// One generated token.
///
/// @param id its number in the vocabulary
/// @param text the whole characters that it completes; may be empty while a character is still half, or while a stop string may have
///   begun: the text comes with a later token then. The texts of all tokens together are the text of the answer.
/// @param logProbability natural logarithm, at most 0, of its probability under the model (before bias, penalties, filters and
///   temperature); empty unless [Sampling#logProbabilities(boolean)] asked for it
public record Token(int id, String text, OptionalDouble logProbability) {
}
