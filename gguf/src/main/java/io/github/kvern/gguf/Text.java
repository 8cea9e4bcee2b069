package io.github.kvern.gguf;

/// How text from a file is shown in a message: a hostile name must not break the line, steer a terminal or fill a screen.
final class Text {
    private static final int LONGEST = 80;

    private Text() {
    }

    /// The text in quotation marks, control characters escaped, cut when long.
    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        int end = text.offsetByCodePoints(0, Math.min(text.codePointCount(0, Math.min(text.length(), 2 * LONGEST)), LONGEST));
        text.substring(0, end).codePoints().forEach(c -> {
            int kind = Character.getType(c);
            boolean hidden = Character.isISOControl(c) || kind == Character.FORMAT || kind == Character.SURROGATE
                    || kind == Character.LINE_SEPARATOR || kind == Character.PARAGRAPH_SEPARATOR;
            if (hidden) out.append("\\u{%x}".formatted(c));
            else out.appendCodePoint(c);
        });
        return out.append(end < text.length() ? "...\"" : "\"").toString();
    }
}
