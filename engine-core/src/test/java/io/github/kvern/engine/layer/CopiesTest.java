package io.github.kvern.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class CopiesTest {
    @Test
    void areMadeOnceAndCounted() {
        try (Arena arena = Arena.ofConfined()) {
            Copies copies = new Copies(arena);
            int[] fills = new int[1];
            MemorySegment first = copies.of("a", 100, s -> {
                fills[0]++;
                s.set(ValueLayout.JAVA_BYTE, 99, (byte) 7);
            });
            assertSame(first, copies.of("a", 100, s -> fills[0]++));
            assertEquals(1, fills[0]);
            assertEquals(7, first.get(ValueLayout.JAVA_BYTE, 99));
            assertEquals(100, copies.bytes());
            assertNotSame(first, copies.of("b", 28, s -> fills[0]++));
            assertEquals(2, fills[0]);
            assertEquals(128, copies.bytes());
        }
    }
}
