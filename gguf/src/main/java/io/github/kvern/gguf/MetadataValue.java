package io.github.kvern.gguf;

import java.math.BigInteger;

/// A metadata value with the type it has in the file.
///
/// @param type the type in the file
/// @param value a [Long] for every integer type (a [BigInteger] for a UINT64 above [Long#MAX_VALUE]), a [Float] for FLOAT32,
///              a [Double] for FLOAT64, a [Boolean], a [String], or a [MetadataArray]
public record MetadataValue(MetadataType type, Object value) {
    private static final BigInteger UINT64_END = BigInteger.ONE.shiftLeft(64);

    /// Checks that the value is one of the type.
    ///
    /// @throws IllegalArgumentException if the value is of another kind or out of the type's range
    public MetadataValue {
        value = normal(type, value);
    }

    /// A value of this type.
    ///
    /// @param value any [Number] without a fraction for an integer type, any for a floating-point type; a [MetadataArray] for
    ///              an array
    /// @throws IllegalArgumentException if the value is of another kind or out of the type's range
    public static MetadataValue of(MetadataType type, Object value) {
        return new MetadataValue(type, value);
    }

    /// The value, as short text: of arrays only the first elements.
    @Override
    public String toString() {
        return value instanceof String s ? Text.quote(s) : value.toString();
    }

    /// The type's name, with that of an array's elements: `ARRAY of STRING`.
    public String typeName() {
        return value instanceof MetadataArray array ? "ARRAY of " + array.elementType() : type.name();
    }

    static Object unsigned(long bits) {
        return bits >= 0 ? (Object) bits : BigInteger.valueOf(bits).add(UINT64_END);
    }

    private static Object normal(MetadataType type, Object value) {
        return switch (type) {
            case UINT8 -> whole(type, value, 0, 0xFF);
            case INT8 -> whole(type, value, Byte.MIN_VALUE, Byte.MAX_VALUE);
            case UINT16 -> whole(type, value, 0, 0xFFFF);
            case INT16 -> whole(type, value, Short.MIN_VALUE, Short.MAX_VALUE);
            case UINT32 -> whole(type, value, 0, 0xFFFF_FFFFL);
            case INT32 -> whole(type, value, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case INT64 -> whole(type, value, Long.MIN_VALUE, Long.MAX_VALUE);
            case UINT64 -> value instanceof BigInteger big && big.bitLength() == 64 && big.signum() > 0
                    ? big : whole(type, value, 0, Long.MAX_VALUE);
            case FLOAT32 -> {
                if (!(value instanceof Number number)) throw wrong(type, value);
                yield number.floatValue();
            }
            case FLOAT64 -> {
                if (!(value instanceof Number number)) throw wrong(type, value);
                yield number.doubleValue();
            }
            case BOOL -> {
                if (!(value instanceof Boolean)) throw wrong(type, value);
                yield value;
            }
            case STRING -> {
                if (!(value instanceof String text) || text.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF))
                    throw wrong(type, value);
                yield value;
            }
            case ARRAY -> {
                if (!(value instanceof MetadataArray)) throw wrong(type, value);
                yield value;
            }
        };
    }

    private static Long whole(MetadataType type, Object value, long least, long most) {
        long number = switch (value) {
            case Long v -> v;
            case Integer v -> v;
            case Short v -> v;
            case Byte v -> v;
            case BigInteger v when v.bitLength() < 64 -> v.longValue();
            default -> throw wrong(type, value);
        };
        if (number < least || number > most) throw wrong(type, value);
        return number;
    }

    private static IllegalArgumentException wrong(MetadataType type, Object value) {
        String found = value instanceof String s ? Text.quote(s) : value.getClass().getSimpleName() + " " + value;
        return new IllegalArgumentException("expected a value of type " + type + ", found " + found);
    }
}
