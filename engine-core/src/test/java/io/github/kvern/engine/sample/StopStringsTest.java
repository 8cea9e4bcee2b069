package io.github.kvern.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    @Test
    void givesTextWithoutStopsAtOnce() {
        StopStrings stops = new StopStrings(List.of());
        assertEquals("any", stops.append("any"));
        assertEquals("", stops.append(""));
        assertEquals("", stops.finish());
        assertFalse(stops.stopped());
    }

    @Test
    void holdsBackWhatMayBeABeginning() {
        StopStrings stops = new StopStrings(List.of("\nUser:"));
        assertEquals("Hi", stops.append("Hi\nU"));
        assertEquals("", stops.append("ser"));
        assertEquals("\nUser ", stops.append(" "));
        assertEquals("", stops.append("\n"));
        assertEquals("\n", stops.append("\nUs"));
        assertEquals("", stops.append("er: more"));
        assertTrue(stops.stopped());
        assertEquals("", stops.finish());
    }

    @Test
    void givesTheRestAtTheEnd() {
        StopStrings stops = new StopStrings(List.of("abc"));
        assertEquals("x", stops.append("xab"));
        assertEquals("ab", stops.finish());
        assertFalse(stops.stopped());
    }

    @Test
    void findsInsideOnePiece() {
        StopStrings stops = new StopStrings(List.of("abc"));
        assertEquals("xab", stops.append("xababcabc"));
        assertTrue(stops.stopped());
    }

    /// "bc" is whole first, but "abcd" would begin before it.
    @Test
    void waitsForAnEarlierBeginning() {
        StopStrings stops = new StopStrings(List.of("bc", "abcd"));
        assertEquals("x", stops.append("xabc"));
        assertFalse(stops.stopped());
        assertEquals("", stops.append("d"));
        assertTrue(stops.stopped());

        stops = new StopStrings(List.of("bc", "abcd"));
        assertEquals("x", stops.append("xabc"));
        assertEquals("a", stops.append("e"));
        assertTrue(stops.stopped());

        stops = new StopStrings(List.of("bc", "abcd"));
        assertEquals("x", stops.append("xabc"));
        assertEquals("a", stops.finish());
        assertTrue(stops.stopped());
    }

    @Test
    void doesNotWaitForALongerOneAtTheSamePlace() {
        StopStrings stops = new StopStrings(List.of("abc", "ab"));
        assertEquals("x", stops.append("xab"));
        assertTrue(stops.stopped());
    }

    @Test
    void keepsCharactersWhole() {
        StopStrings stops = new StopStrings(List.of("\uD83D\uDE00!"));
        assertEquals("\uD83D\uDE01", stops.append("\uD83D\uDE01"));
        assertEquals("", stops.append("\uD83D\uDE00"));
        assertEquals("\uD83D\uDE00\uD83D\uDE01", stops.append("\uD83D\uDE01"));
    }

    @Test
    void refusesWrongMoments() {
        assertThrows(IllegalArgumentException.class, () -> new StopStrings(List.of("a", "")));
        StopStrings stopped = new StopStrings(List.of("a"));
        stopped.append("a");
        assertThrows(IllegalStateException.class, () -> stopped.append("b"));
        StopStrings finished = new StopStrings(List.of());
        finished.finish();
        assertThrows(IllegalStateException.class, () -> finished.append("b"));
        assertThrows(IllegalStateException.class, finished::finish);
    }

    /// Texts over two or three letters, cut anywhere, against a search in the whole text; and no text is held back that no stop string
    /// could begin in.
    @Test
    void equalsASearchInTheWholeText() {
        int found = 0;
        for (long seed = 0; seed < 20_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int letters = 2 + random.nextInt(2);
            List<String> stops = new ArrayList<>();
            for (int i = 1 + random.nextInt(4); i > 0; i--) stops.add(text(random, letters, 1 + random.nextInt(6)));
            String text = text(random, letters, random.nextInt(40));
            int end = stops.stream().mapToInt(text::indexOf).filter(i -> i >= 0).min().orElse(-1);
            String expected = end < 0 ? text : text.substring(0, end);
            String where = "seed " + seed + ": " + stops + " in " + text;

            StopStrings search = new StopStrings(stops);
            StringBuilder given = new StringBuilder();
            int at = 0;
            while (at < text.length() && !search.stopped()) {
                int next = Math.min(text.length(), at + random.nextInt(5));
                given.append(search.append(text.substring(at, next)));
                at = next;
                assertEquals(certain(text.substring(0, at), stops), given.toString(), where + ", at " + at);
                assertEquals(isCertainToStop(text.substring(0, at), stops), search.stopped(), where + ", at " + at);
            }
            given.append(search.finish());
            assertEquals(expected, given.toString(), where);
            assertEquals(end >= 0, search.stopped(), where);
            if (end >= 0) found++;
        }
        assertTrue(found > 5_000 && found < 19_000, "found " + found);
    }

    /// The text before the first place at which a stop string is, or may be when the text goes on.
    private static String certain(String text, List<String> stops) {
        for (int i = 0; i < text.length(); i++) {
            String rest = text.substring(i);
            if (stops.stream().anyMatch(s -> rest.startsWith(s) || s.startsWith(rest))) return text.substring(0, i);
        }
        return text;
    }

    /// At the first place at which a stop string is or may be, it is.
    private static boolean isCertainToStop(String text, List<String> stops) {
        String rest = text.substring(certain(text, stops).length());
        return stops.stream().anyMatch(rest::startsWith);
    }

    private static String text(SplittableRandom random, int letters, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) text.append((char) ('a' + random.nextInt(letters)));
        return text.toString();
    }
}
