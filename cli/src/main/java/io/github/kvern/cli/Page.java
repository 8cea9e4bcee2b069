package io.github.kvern.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/// Plain text in columns, for people. Everything that could steer the terminal is made visible.
final class Page {
    private final StringBuilder text = new StringBuilder();
    private final List<String[]> rows = new ArrayList<>();

    /// A line as it is.
    Page line(String line) {
        text.append(Terminal.visible(line)).append('\n');
        return this;
    }

    /// A name and a value.
    void field(String name, String value) {
        line("  %-14s %s".formatted(name, value));
    }

    /// Begins a table, and says how much is in it.
    void heading(String name, int count) {
        text.append('\n').append(name).append(" (").append(count(count)).append(")\n");
    }

    /// A row of the table.
    void row(String... cells) {
        String[] shown = new String[cells.length];
        for (int i = 0; i < cells.length; i++) shown[i] = Terminal.visible(cells[i]);
        rows.add(shown);
    }

    /// Prints the table that the rows since the last one make.
    ///
    /// @param right the columns that line up at their right ends
    void endTable(int... right) {
        Set<Integer> aligned = new TreeSet<>();
        for (int column : right) aligned.add(column);
        int columns = rows.stream().mapToInt(row -> row.length).max().orElse(0);
        int[] widths = new int[columns];
        for (String[] row : rows) for (int i = 0; i < row.length; i++) widths[i] = Math.max(widths[i], width(row[i]));
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String space = " ".repeat(widths[i] - width(row[i]));
                line.append("  ").append(aligned.contains(i) ? space + row[i] : row[i] + space);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        rows.clear();
    }

    /// All of it.
    String text() {
        return text.toString();
    }

    /// A whole number with its thousands set apart.
    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// A size for people: three digits and a unit.
    static String bytes(long bytes) {
        if (bytes < 1024) return bytes + " B";
        int unit = (63 - Long.numberOfLeadingZeros(bytes)) / 10;
        double amount = bytes / (double) (1L << 10 * unit);
        return String.format(Locale.ROOT, amount < 10 ? "%.2f %siB" : amount < 100 ? "%.1f %siB" : "%.0f %siB", amount,
                "_KMGTPE".charAt(unit));
    }

    /// A time for people.
    static String seconds(long nanos) {
        double seconds = nanos / 1e9;
        return String.format(Locale.ROOT, seconds < 1 ? "%.3f s" : seconds < 100 ? "%.2f s" : "%.0f s", seconds);
    }

    /// A rate or another number with a fraction.
    static String decimal(double number) {
        return String.format(Locale.ROOT, number < 100 ? "%.2f" : number < 1000 ? "%.1f" : "%.0f", number);
    }

    private static int width(String text) {
        return text.codePointCount(0, text.length());
    }
}
