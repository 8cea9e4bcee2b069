/// Text to token ids and back: byte-level BPE ([BytePairs]), SentencePiece BPE ([SentencePieces]), their shared vocabulary, the
/// special tokens, and bytes to whole characters ([Utf8Stream]).
///
/// ## Where Kvern follows the model and llama.cpp does not
///
/// The ids are those of the model's own tokenizer. llama.cpp gives other ids for the same file in these cases:
///
/// | pre-tokenizer | text | the model, and Kvern | llama.cpp |
/// |---|---|---|---|
/// | `llama4`, `gpt-4o` | combining marks (`\p{M}`: Arabic vowel signs, Devanagari, Thai, Tamil, Burmese, Khmer …) | belong to the word | break the word at each mark |
/// | `llama4`, `gpt-4o` | capital and small letters other than A-Z, a-z in one word (`ПриветМир`) | a new word at the capital | one word |
/// | `kimi-k2` | combining marks | belong to the word | break the word at each mark |
/// | `kimi-k2` | a capital inside a word (`camelCase`, `ПриветМир`) | a new word at the capital | one word |
/// | `kimi-k2` | Han characters outside the blocks of ideographs (`々`, `〇`, radicals) | belong to the run of Han characters | do not |
/// | `qwen2` | characters that are not in Unicode normalization form C | are composed first | stay as they are |
/// | `llama-bpe`, `llama4`, `qwen2`, `kimi-k2` and their likes | `ſ` (U+017F) after an apostrophe | is an `s`: `'ſ` is a contraction | is any letter |
/// | all | letters, numbers and spaces that Unicode added lately | as the JDK's Unicode tables have them | as its own tables have them |
///
/// | tokens | the model, and Kvern | llama.cpp |
/// |---|---|---|
/// | an ordinary token that merges can build and that spells an end marker (`</s>` in Qwen's vocabulary) | stays ordinary | becomes a control token |
/// | fill-in-the-middle tokens stored as USER_DEFINED (`<\|fim_prefix\|>`, `<｜fim▁hole｜>`) | are recognized in any text, are written out, end nothing | are control tokens; some of them end the answer |
/// | special tokens that overlap in the text | the leftmost wins, then the longest | the longest wins |
/// | `llama` (SentencePiece): control, unknown and byte tokens | never come out of merging ordinary text | can, when all their beginnings are tokens |
/// | `gpt2`: text of a whole answer | the bytes of its tokens | spaces before `.`, `,`, `!`, `?` and in contractions are removed for some vocabularies |
///
/// Where both agree and the model's own file says less (a wrong type stored for an end marker such as `<|endoftext|>`, a
/// vocabulary without `tokenizer.ggml.pre`) Kvern does what llama.cpp does.
@NullMarked
package io.github.kvern.engine.text;

import org.jspecify.annotations.NullMarked;
