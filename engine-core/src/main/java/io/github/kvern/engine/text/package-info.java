/// Text to token ids and back: byte-level BPE ([BytePairs]), SentencePiece BPE ([SentencePieces]), their shared vocabulary, the
/// special tokens, and bytes to whole characters ([Utf8Stream]).
///
/// ## Where Kvern follows the model and llama.cpp does not
///
/// The ids are those of the model's own tokenizer. For the same file llama.cpp gives other ids in these cases:
///
/// | pre-tokenizer | text | the model, and Kvern | llama.cpp |
/// |---|---|---|---|
/// | `llama4`, `gpt-4o` | combining marks (`\p{M}`: Arabic vowel signs, Devanagari, Thai, Tamil, Burmese, Khmer …) | belong to the word | break the word at each mark |
/// | `qwen2` | characters that are not in Unicode normalization form C | are composed first (Kvern: behind at most 1000 marks) | stay as they are |
///
/// Where words are cut differs in more cases; ids seldom do, because few tokens stand across such a cut:
///
/// | pre-tokenizer | text | the model, and Kvern | llama.cpp |
/// |---|---|---|---|
/// | `llama4`, `gpt-4o` | capital and small letters other than A-Z, a-z in one word (`ÑA`) | a new word where a capital follows a small letter | cuts in other places |
/// | `kimi-k2` | a capital inside a word (`camelCase`) | a new word at the capital | one word |
/// | `kimi-k2` | Han characters that are no ideographs (`々`, `〇`, radicals) | belong to the run of Han characters | do not |
/// | `llama-bpe`, `llama4`, `qwen2`, `kimi-k2` and their other names | `ſ` (U+017F) after an apostrophe | an `s`, so a contraction | any letter |
/// | all | characters that Unicode added lately | what the JDK's tables say | what its own tables say |
///
/// | tokens | the model, and Kvern | llama.cpp |
/// |---|---|---|
/// | an ordinary token that merges make and that spells an end marker (`</s>` in Qwen's vocabulary) | stays ordinary | becomes a control token that ends an answer |
/// | fill-in-the-middle tokens that the file calls USER_DEFINED (`<\|fim_prefix\|>`, `<｜fim▁hole｜>`) | are recognized in any text, are written out, end nothing | are control tokens; some end an answer |
/// | special tokens that overlap in the text | the leftmost wins, then the longest | the longest wins |
/// | `llama` (SentencePiece): control, unknown and byte tokens | never come out of text that spells them | can, if merges lead there |
///
/// One departure from a model stays: `kimi-k2` breaks a word at each combining mark, as llama.cpp does, because its ids are the only
/// known answers for files of this pre-tokenizer; the pattern published with the model keeps marks with their word.
///
/// Decoding: with `llama` (SentencePiece) the space that encoding put in front is removed from the first token that is written, also
/// behind a begin token that is not; llama.cpp then leaves it. With some `gpt2` vocabularies llama.cpp removes spaces before `.`, `,`,
/// `!`, `?` and in contractions from a whole text; Kvern gives the bytes of the tokens.
///
/// What a file leaves out is as in llama.cpp: a file without `tokenizer.ggml.pre` is cut by `default`, and a token that spells a
/// well-known end marker, but is stored with a wrong type, is a control token and ends an answer.
@NullMarked
package io.github.kvern.engine.text;

import org.jspecify.annotations.NullMarked;
