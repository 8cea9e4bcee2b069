package io.github.kvern;

import io.github.kvern.gguf.Metadata;
import io.github.kvern.gguf.MetadataType;
import io.github.kvern.gguf.MetadataValue;
import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Metadata values that the user knows better than the file: parsed, checked, and put in place.
final class Overrides {
    /// No suffixes, no hexadecimal floats, no NaN: what Java's own parser takes beyond this is a slip of the keyboard here.
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
    private static final Pattern WHOLE = Pattern.compile("[+-]?\\d{1,40}");
    private static final int LONGEST_KEY = 65_535;

    private Overrides() {
    }

    /// Refuses keys that cannot be overridden: they say how the bytes of the files lie, and were used before any override is.
    static void checkKey(String key) {
        if (key.isEmpty() || key.length() > LONGEST_KEY)
            throw new IllegalArgumentException("override: expected a key of 1 to " + LONGEST_KEY + " characters, found " + key.length());
        if (key.equals("general.alignment") || key.startsWith("split."))
            throw new IllegalArgumentException(
                    "override of key " + quote(key) + ": it describes the layout of the file and cannot be overridden");
    }

    static Metadata apply(Metadata metadata, Map<String, String> overrides) {
        Metadata corrected = metadata;
        for (Map.Entry<String, String> override : overrides.entrySet()) {
            String key = override.getKey();
            corrected = corrected.with(key, value(key, metadata.find(key), override.getValue()));
        }
        return corrected;
    }

    private static MetadataValue value(String key, Optional<MetadataValue> inFile, String text) {
        if (inFile.isPresent() && inFile.get().type() == MetadataType.ARRAY)
            throw wrong(key, "a key with a single value: arrays cannot be overridden", "the file's " + inFile.get().typeName());
        int colon = text.indexOf(':');
        Optional<MetadataType> said = colon < 0 ? Optional.empty() : typeNamed(text.substring(0, colon), inFile);
        if (said.isPresent()) return parse(key, said.get(), text.substring(colon + 1));
        if (inFile.isPresent()) return parse(key, inFile.get().type(), text);
        if (colon >= 0) throw wrong(key, "one of the types int, float, bool and str", quote(text.substring(0, colon)));
        throw wrong(key, "a type, as the file has no such key: KEY=TYPE:VALUE with int, float, bool or str", quote(text));
    }

    /// The type that a name stands for: the file's own, if it is one of that kind.
    private static Optional<MetadataType> typeNamed(String name, Optional<MetadataValue> inFile) {
        MetadataType file = inFile.map(MetadataValue::type).orElse(MetadataType.ARRAY);
        return switch (name) {
            case "int" -> Optional.of(file.isInteger() ? file : MetadataType.INT64);
            case "float" -> Optional.of(file.isFloat() ? file : MetadataType.FLOAT32);
            case "bool" -> Optional.of(MetadataType.BOOL);
            case "str" -> Optional.of(MetadataType.STRING);
            default -> Optional.empty();
        };
    }

    private static MetadataValue parse(String key, MetadataType type, String text) {
        try {
            return MetadataValue.of(type, switch (type) {
                case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> {
                    if (!WHOLE.matcher(text).matches()) throw wrong(key, "a value of type " + type, quote(text));
                    yield new BigInteger(text);
                }
                case FLOAT32, FLOAT64 -> {
                    if (!NUMBER.matcher(text).matches()) throw wrong(key, "a value of type " + type, quote(text));
                    double number = Double.parseDouble(text);
                    if (Double.isInfinite(type == MetadataType.FLOAT32 ? (float) number : number))
                        throw wrong(key, "a finite value of type " + type, quote(text));
                    yield number;
                }
                case BOOL -> switch (text) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw wrong(key, "true or false", quote(text));
                };
                case STRING -> text;
                case ARRAY -> throw new IllegalStateException("arrays were refused");
            });
        } catch (Refused e) {
            throw e;
        } catch (IllegalArgumentException e) { // out of the type's range, or text that UTF-8 cannot say
            throw wrong(key, "a value of type " + type, quote(text));
        }
    }

    /// A text in a message: one line, not too long.
    static String quote(String text) {
        boolean whole = text.codePoints().noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
        return whole ? MetadataValue.of(MetadataType.STRING, text).toString() : "text with half a character";
    }

    private static Refused wrong(String key, String expected, String found) {
        return new Refused("override of key " + quote(key) + ": expected " + expected + ", found " + found);
    }

    private static final class Refused extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }
}
