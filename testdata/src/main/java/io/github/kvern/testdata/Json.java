package io.github.kvern.testdata;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A strict reader of JSON (RFC 8259) for the answers beside the test models, so that no test needs a library. An object
/// becomes a `Map` in the order of the text, an array a `List`, the rest `String`, `Double`, `Boolean` or [#NULL]; all of
/// it unmodifiable. A name given twice, a comma too many or anything after the value is an `IllegalArgumentException`
/// with the position.
public final class Json {
    /// What stands for `null`.
    public static final Object NULL = Optional.empty();
    private static final int MAX_DEPTH = 200;
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?");

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /// The value that this text is.
    public static Object parse(String text) {
        Json reader = new Json(text);
        Object value = reader.value();
        reader.space();
        if (reader.at != text.length()) throw reader.wrong("the end");
        return value;
    }

    /// The object that this file (UTF-8) holds.
    public static Map<String, Object> parse(Path file) throws IOException {
        return object(parse(Files.readString(file, StandardCharsets.UTF_8)));
    }

    /// This value, which must be an object.
    @SuppressWarnings("unchecked") // the reader makes no other maps
    public static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    /// This value, which must be an array.
    @SuppressWarnings("unchecked") // the reader makes no other lists
    public static List<Object> list(Object value) {
        return (List<Object>) value;
    }

    /// This value, which must be an array of whole numbers that fit an int.
    public static int[] ints(Object value) {
        return list(value).stream().mapToInt(v -> new BigDecimal((Double) v).intValueExact()).toArray();
    }

    private Object value() {
        if (++depth > MAX_DEPTH) throw wrong("at most " + MAX_DEPTH + " levels");
        space();
        Object value = switch (peek()) {
            case '{' -> members();
            case '[' -> elements();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", NULL);
            default -> number();
        };
        depth--;
        return value;
    }

    private Map<String, Object> members() {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        for (boolean more = !skip('}'); more; more = !end('}')) {
            space();
            if (peek() != '"') throw wrong("a name in quotes");
            String name = string();
            if (map.containsKey(name)) throw wrong("the name '" + name + "' once");
            if (!skip(':')) throw wrong("':'");
            map.put(name, value());
        }
        return Collections.unmodifiableMap(map);
    }

    private List<Object> elements() {
        List<Object> list = new ArrayList<>();
        at++;
        for (boolean more = !skip(']'); more; more = !end(']')) list.add(value());
        return Collections.unmodifiableList(list);
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        for (at++; peek() != '"'; at++) {
            char c = peek();
            if (c < ' ') throw wrong("'\"' or a character"); // also the end of the text
            out.append(c == '\\' ? escape() : c);
        }
        at++;
        return out.toString();
    }

    private char escape() {
        at++;
        if (peek() == 'u' && text.substring(at + 1, Math.min(at + 5, text.length())).matches("[0-9A-Fa-f]{4}")) {
            return (char) Integer.parseInt(text, (at += 4) - 3, at + 1, 16);
        }
        int i = "\"\\/bfnrt".indexOf(peek());
        if (i < 0) throw wrong("an escape");
        return "\"\\/\b\f\n\r\t".charAt(i);
    }

    private Double number() {
        Matcher number = NUMBER.matcher(text).region(at, text.length());
        if (!number.lookingAt()) throw wrong("a value");
        at = number.end();
        return Double.valueOf(number.group());
    }

    private Object word(String word, Object meaning) {
        if (!text.startsWith(word, at)) throw wrong(word);
        at += word.length();
        return meaning;
    }

    /// Whether the object or array ends here; if not, a comma must be here.
    private boolean end(char close) {
        if (skip(',')) return false;
        if (!skip(close)) throw wrong("',' or '" + close + "'");
        return true;
    }

    private void space() {
        while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') at++;
    }

    /// Whether this character comes next, which is then behind us.
    private boolean skip(char c) {
        space();
        return peek() == c && at++ >= 0;
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException("JSON at character " + at + " of " + text.length() + ": expected " + expected);
    }
}
