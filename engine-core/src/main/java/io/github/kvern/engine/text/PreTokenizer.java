package io.github.kvern.engine.text;

import java.text.Normalizer;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How text is cut into words before byte pairs are merged inside each.
///
/// @param stages every stage cuts each part that the one before it left: at every match, and what lies between matches is a part too
/// @param takesWhole whether a word that is a token is taken as it is, whatever the merges would make of it
/// @param composes whether text is brought to normalization form C first
/// @param addsBos whether a text begins with the begin token unless the file says otherwise
public record PreTokenizer(List<Pattern> stages, boolean takesWhole, boolean composes, boolean addsBos) {
    private static final int MOST_MARKS = 1_000;

    /// Copies the stages.
    public PreTokenizer {
        stages = List.copyOf(stages);
    }

    /// Takes the words of a text, in order.
    @FunctionalInterface
    interface Words {
        /// @param from first `char` of the word in the text
        /// @param to one behind the last
        void word(int from, int to);
    }

    /// The text as the vocabulary wants it.
    String normal(String text) {
        if (!composes) return text;
        for (int i = 0; i < text.length(); i++) if (text.charAt(i) >= 0x300) return compose(text); // all below is composed already
        return text;
    }

    /// Putting the marks of one letter in order takes the JDK quadratic time. No text has a thousand of them, but a hostile one may
    /// have a million: what stands behind a thousand is composed as a text of its own.
    private static String compose(String text) {
        StringBuilder done = new StringBuilder();
        int from = 0;
        int marks = 0;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            marks = isMark(text.codePointAt(i)) ? marks + 1 : 0;
            if (marks <= MOST_MARKS) continue;
            done.append(Normalizer.normalize(text.substring(from, i), Normalizer.Form.NFC));
            from = i;
            marks = 1;
        }
        return done.append(Normalizer.normalize(text.substring(from), Normalizer.Form.NFC)).toString();
    }

    private static boolean isMark(int c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK -> true;
            default -> false;
        };
    }

    /// Cuts a text.
    void split(String text, Words words) {
        Matcher[] matchers = new Matcher[stages.size()];
        for (int i = 0; i < matchers.length; i++) matchers[i] = stages.get(i).matcher(text);
        split(matchers, 0, 0, text.length(), words);
    }

    /// A part is searched as a text of its own: what looks ahead sees its end, not what follows.
    private static void split(Matcher[] stages, int stage, int from, int to, Words words) {
        if (from == to) return;
        if (stage == stages.length) {
            words.word(from, to);
            return;
        }
        Matcher matcher = stages[stage].region(from, to);
        int done = from;
        while (matcher.find()) {
            split(stages, stage + 1, done, matcher.start(), words);
            split(stages, stage + 1, matcher.start(), matcher.end(), words);
            done = matcher.end();
        }
        split(stages, stage + 1, done, to, words);
    }
}
