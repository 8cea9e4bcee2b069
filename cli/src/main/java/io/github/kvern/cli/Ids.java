package io.github.kvern.cli;

import java.util.Arrays;

/// Lists of whole numbers on the command line or in a text file.
final class Ids {
    private Ids() {
    }

    /// Numbers of 0 or more, between single commas or white space.
    ///
    /// @param what what messages call the list
    static int[] parse(String text, String what) {
        int[] ids = new int[64];
        int n = 0;
        boolean comma = false; // one more number must come
        for (int at = 0; at < text.length();) {
            char c = text.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (c == ',') {
                if (n == 0 || comma) throw Failures.usage(what + ": expected a number in front of the comma at character " + at);
                comma = true;
                at++;
            } else {
                int end = at;
                while (end < text.length() && text.charAt(end) != ',' && !Character.isWhitespace(text.charAt(end))) end++;
                if (n == ids.length) ids = Arrays.copyOf(ids, 2 * n);
                ids[n++] = number(text.substring(at, end), what, n);
                comma = false;
                at = end;
            }
        }
        if (comma) throw Failures.usage(what + ": expected a number behind the last comma");
        return Arrays.copyOf(ids, n);
    }

    private static int number(String word, String what, int n) {
        boolean digits = !word.isEmpty() && word.length() <= 10 && word.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!digits || Long.parseLong(word) > Integer.MAX_VALUE) {
            throw Failures.usage(what + ": number " + n + ": expected 0 to " + Integer.MAX_VALUE + ", found "
                    + (word.length() > 40 ? word.substring(0, 40) + "..." : word));
        }
        return Integer.parseInt(word);
    }

    /// A list, or the text file behind an `@`.
    static int[] parseOrRead(String text, String what) {
        return text.startsWith("@") ? parse(Utf8.read(text.substring(1)), text.substring(1)) : parse(text, what);
    }
}
