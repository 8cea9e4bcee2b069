package io.github.kvern;

/// What an answer continues: the whole conversation so far. What its beginning shares with the generator's cache is not computed
/// again.
public sealed interface Prompt {
    /// Text. The model's begin token is put in front when its vocabulary asks for one; text that spells a special token is plain
    /// text.
    ///
    /// @param text any text; may be empty when the model has a begin token
    static Text text(String text) {
        return new Text(text, true, false);
    }

    /// Token ids, taken as they are: no begin token is added.
    ///
    /// @param ids 1 or more, copied; [Generator#generate] checks that they are in the vocabulary
    static Tokens tokens(int... ids) {
        return new Tokens(ids);
    }

    /// Text to be tokenized.
    ///
    /// @param text any text, also empty
    /// @param begin whether the begin token is put in front, if the vocabulary asks for one
    /// @param special whether text that spells a special token becomes that token: only for text that you trust
    record Text(String text, boolean begin, boolean special) implements Prompt {
        /// With or without the begin token, which is added only if the vocabulary asks for one and the text does not begin with it.
        ///
        /// @param begin true by default
        public Text begin(boolean begin) {
            return new Text(text, begin, special);
        }

        /// With or without special tokens. A text from somebody else can steer the model with them.
        ///
        /// @param special false by default
        public Text special(boolean special) {
            return new Text(text, begin, special);
        }
    }

    /// Token ids.
    ///
    /// @param ids copied on the way in and out
    record Tokens(int[] ids) implements Prompt {
        /// Copies the ids.
        public Tokens {
            ids = ids.clone();
        }

        /// A copy of the ids.
        @Override
        public int[] ids() {
            return ids.clone();
        }
    }
}
