package io.github.kvern.cli;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A number of bytes as people write it: `500000000`, `512M`, `4G`, `1T`; units are powers of 1024.
final class ByteSize implements ITypeConverter<Long> {
    private static final String UNITS = "KMGT";

    @Override
    public Long convert(String text) {
        String digits = text.strip().toUpperCase(Locale.ROOT).replaceFirst("(IB|B)$", "");
        int unit = digits.isEmpty() ? -1 : UNITS.indexOf(digits.charAt(digits.length() - 1));
        if (unit >= 0) digits = digits.substring(0, digits.length() - 1);
        if (!digits.matches("[0-9]{1,15}")) throw wrong(text);
        long number = Long.parseLong(digits);
        int shift = 10 * (unit + 1);
        if (number > Long.MAX_VALUE >> shift) throw wrong(text);
        return number << shift;
    }

    private static TypeConversionException wrong(String text) {
        return new TypeConversionException("expected a number of bytes such as 500000000, 512M or 4G, found '" + text + "'");
    }
}
