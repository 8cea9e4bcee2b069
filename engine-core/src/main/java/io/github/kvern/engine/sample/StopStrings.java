package io.github.kvern.engine.sample;

import java.util.Arrays;
import java.util.List;

/// Looks for the strings that end an answer in text that comes in pieces. Text that may still turn out to be part of one is held
/// back, so a stop string is never shown, not even its beginning.
///
/// The string that begins first ends the text, wherever the pieces' borders are. Of several that begin at one place it does not matter
/// which is meant, as the same text comes before them; the shortest is enough, so no token is computed to see whether a longer one comes.
///
/// Each string has its own Knuth-Morris-Pratt automaton: the time is linear in the text, times the number of strings.
public final class StopStrings {
    private static final long NOWHERE = Long.MAX_VALUE;

    private final String[] stops;
    /// For each string and each length of a matched beginning: the longest shorter beginning that ends the same way.
    private final int[][] borders;
    /// For each string: how much of its beginning ends the text so far.
    private final int[] matched;
    private final StringBuilder held = new StringBuilder();
    /// Characters of the whole text that were looked at, and that were given out.
    private long seen;
    private long given;
    /// Where the earliest whole stop string begins.
    private long found = NOWHERE;
    private boolean stopped;
    private boolean finished;

    /// @param stops strings to look for, none of them empty; may be none
    public StopStrings(List<String> stops) {
        if (stops.contains("")) throw new IllegalArgumentException("stop: expected texts of at least one character, found \"\"");
        this.stops = stops.toArray(String[]::new);
        borders = Arrays.stream(this.stops).map(StopStrings::borders).toArray(int[][]::new);
        matched = new int[this.stops.length];
    }

    /// Takes the next piece.
    ///
    /// @return the text that is certain: what was held back and this, up to where a stop string begins or may have begun
    /// @throws IllegalStateException it has stopped or finished
    public String append(String text) {
        if (stopped || finished) throw new IllegalStateException("the text has ended: no more can be appended");
        if (stops.length == 0) return text;
        held.append(text);
        for (int i = 0; i < text.length() && !stopped; i++) read(text.charAt(i));
        return take(Math.min(found, earliestBeginning()));
    }

    /// Whether text is held back, because a stop string may begin with it.
    public boolean holds() {
        return !held.isEmpty();
    }

    /// Whether a stop string was found: there is no more text.
    public boolean stopped() {
        return stopped;
    }

    /// Ends the text: nothing more will come.
    ///
    /// @return what was held back, unless a stop string begins with it
    /// @throws IllegalStateException it has finished before
    public String finish() {
        if (finished) throw new IllegalStateException("the text has ended already");
        finished = true;
        stopped |= found != NOWHERE; // what might have begun even earlier did not come
        return take(Math.min(found, seen));
    }

    private void read(char next) {
        seen++;
        for (int s = 0; s < stops.length; s++) {
            String stop = stops[s];
            int length = matched[s];
            while (length > 0 && stop.charAt(length) != next) length = borders[s][length];
            if (stop.charAt(length) == next) length++;
            if (length == stop.length()) {
                found = Math.min(found, seen - length);
                length = borders[s][length];
            }
            matched[s] = length;
        }
        stopped = found != NOWHERE && earliestBeginning() >= found;
    }

    /// Where the earliest stop string begins that is not whole yet; the end of the text if there is none.
    private long earliestBeginning() {
        int longest = 0;
        for (int length : matched) longest = Math.max(longest, length);
        return seen - longest;
    }

    /// Gives out what is held back up to a place in the whole text, and drops everything once it has stopped.
    private String take(long until) {
        String certain = held.substring(0, (int) (until - given));
        held.delete(0, stopped ? held.length() : certain.length());
        given = until;
        return certain;
    }

    private static int[] borders(String stop) {
        int[] borders = new int[stop.length() + 1];
        for (int i = 1, length = 0; i < stop.length(); i++) {
            while (length > 0 && stop.charAt(length) != stop.charAt(i)) length = borders[length];
            if (stop.charAt(length) == stop.charAt(i)) length++;
            borders[i + 1] = length;
        }
        return borders;
    }
}
